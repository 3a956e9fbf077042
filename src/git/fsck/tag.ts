/** What `git fsck` says of annotated tags (fsck.c, fsck_tag). */
import { isRefName } from '../ref-name.ts'
import { checkHeaders, checkIdentity, isIdLine, nextLine, startsWith } from './headers.ts'
import type { ReportFault } from './messages.ts'

const lineFeed = 10

export function checkTag(data: Buffer, report: ReportFault): void {
  if (!checkHeaders(data, report)) return
  const taggerAt = checkTarget(data, report)
  if (taggerAt === undefined) return
  if (!startsWith(data, taggerAt, 'tagger ')) {
    if (!report('missingTaggerEntry', "invalid format - expected 'tagger' line")) return
    checkRest(data, taggerAt, report)
  } else if (checkIdentity(data, taggerAt + 7, report)) checkRest(data, nextLine(data, taggerAt), report)
}

/** Object, type and name; where the tagger's line would begin, or undefined where the tag is not looked at further. */
function checkTarget(data: Buffer, report: ReportFault): number | undefined {
  const wantLine = (at: number, start: string, id: 'missingObject' | 'missingTypeEntry' | 'missingTagEntry') =>
    startsWith(data, at, start) || void report(id, `invalid format - expected '${start.trim()}' line`)
  if (!wantLine(0, 'object ', 'missingObject')) return undefined
  if (!isIdLine(data, 7) && !report('badObjectSha1', "invalid 'object' line format - bad sha1")) return undefined
  const typeAt = nextLine(data, 0)
  if (!wantLine(typeAt, 'type ', 'missingTypeEntry')) return undefined
  const type = lineAt(data, typeAt + 5)
  if (type === undefined) return void report('missingType', "invalid format - unexpected end after 'type' line")
  const isType = /^(commit|tree|blob|tag)$/.test(type)
  if (!isType && !report('badType', "invalid 'type' value")) return undefined
  const nameAt = nextLine(data, typeAt)
  if (!wantLine(nameAt, 'tag ', 'missingTagEntry')) return undefined
  const name = lineAt(data, nameAt + 4)
  if (name === undefined) return void report('missingTag', "invalid format - unexpected end after 'type' line")
  if (!isRefName(`tags/${name}`) && !report('badTagName', `invalid 'tag' name: ${name}`)) return undefined
  return nextLine(data, nameAt)
}

/** A signature made for another hash function may follow, and nothing else. */
function checkRest(data: Buffer, at: number, report: ReportFault): void {
  let position = at
  if (startsWith(data, position, 'gpgsig ') || startsWith(data, position, 'gpgsig-sha256 ')) {
    position = nextLine(data, position)
    while (data[position] === 0x20) position = nextLine(data, position)
  }
  if (position < data.length && data[position] !== lineFeed) {
    report('extraHeaderEntry', "invalid format - extra header(s) after 'tagger'")
  }
}

/** The text up to the line's end; undefined where it has none. */
function lineAt(data: Buffer, at: number): string | undefined {
  const end = data.indexOf(lineFeed, at)
  return end < 0 ? undefined : data.toString('latin1', at, end)
}
