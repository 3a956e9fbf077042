/**
 * The content of a large file in a commit's line: base64 decoded where it lies, in slices. Reading such a line as JSON
 * would hold the event loop up for 50 ms and more, and make two texts of its size.
 */
import { fairLoop } from '../../git/fair-loop.ts'

const contentStart = /"content"[ \t]*:[ \t]*"/
const headBytes = 64 * 1024
const quote = 0x22
const backslash = 0x5c
/** A multiple of 4: each slice is base64 by itself. */
const sliceBytes = 256 * 1024

export interface SplitLine {
  /** The line with an empty text in place of the content. */
  rest: Buffer
  /** The content as it stands between its quotes, without escapes. */
  content: Buffer
}

/**
 * Takes the content out of a line; undefined where it does not stand near the line's beginning, or holds escapes: then it
 * has to be read as any other. A quote inside a text of JSON is escaped, so that what begins here is a key.
 */
export function splitContent(line: Buffer): SplitLine | undefined {
  const found = contentStart.exec(line.toString('latin1', 0, headBytes))
  if (found === null) return undefined
  const start = found.index + found[0].length
  const end = line.indexOf(quote, start)
  if (end < 0) return undefined
  const content = line.subarray(start, end)
  if (content.includes(backslash)) return undefined
  return { rest: Buffer.concat([line.subarray(0, start), line.subarray(end)]), content }
}

/** The bytes that `content` stands for; undefined where it is no base64. Lets other requests run meanwhile. */
export async function decodeInSlices(content: Buffer): Promise<Buffer | undefined> {
  if (content.length % 4 !== 0) return undefined
  const padding = content.at(-2) === equals ? 2 : content.at(-1) === equals ? 1 : 0
  const bytes = Buffer.allocUnsafe((content.length / 4) * 3 - padding)
  const pause = fairLoop()
  let written = 0
  for (let at = 0; at < content.length; at += sliceBytes) {
    written += bytes.write(content.toString('latin1', at, at + sliceBytes), written, 'base64')
    if (pause.due(64)) await pause.now()
  }
  // Node passes over what is no base64: then fewer bytes come out.
  return written === bytes.length ? bytes : undefined
}

const equals = 0x3d
