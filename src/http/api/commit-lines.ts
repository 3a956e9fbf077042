/** The body of a commit request: JSON, one object `{key, value}` a line (hub-api.md §2.7), read as it comes. */
import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { CommitHeader, FileChange } from '../../hub/commit/take-commit.ts'
import { type LfsOid, parseLfsOid } from '../../lfs/oid.ts'
import type { Limits } from '../../limits.ts'
import { decodeInSlices, splitContent } from './long-lines.ts'

const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))
const Path = Type.String({ minLength: 1 })

const Header = Type.Object({
  summary: Type.String(),
  description: Nullable(Type.String()),
  parentCommit: Nullable(Type.String({ pattern: '^[0-9a-f]{7,40}$' })),
})
const File = Type.Object({
  path: Path,
  content: Type.String(),
  encoding: Nullable(Type.Union([Type.Literal('base64'), Type.Literal('utf-8')])),
  oldPath: Nullable(Path),
})
const LfsFile = Type.Object({
  path: Path,
  algo: Nullable(Type.Literal('sha256')),
  oid: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  size: Nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
})
const Deletion = Type.Object({ path: Path })

const validators = {
  header: Compile(Header),
  file: Compile(File),
  lfsFile: Compile(LfsFile),
  deletedFile: Compile(Deletion),
  deletedFolder: Compile(Deletion),
}
type Key = keyof typeof validators

type LineLimits = Pick<Limits, 'commitLineMaxBytes' | 'commitLinesMax'>

/** The lines of `body`. Throws InputInvalid, which names the line, and InputTooLarge above a limit. */
export async function* parseCommitLines(
  body: ByteStream,
  limits: LineLimits,
): AsyncGenerator<CommitHeader | FileChange> {
  let number = 0
  let count = 0
  for await (const line of splitLines(body, limits.commitLineMaxBytes)) {
    number++
    if (isBlank(line)) continue
    if (++count > limits.commitLinesMax) {
      throw new HoldfastError('InputTooLarge', {
        message: `A commit may have ${limits.commitLinesMax} lines here. Commit in parts.`,
      })
    }
    const parsed = line.length > longLineBytes ? await parseLongLine(line, number) : parseLine(line, number)
    if ((parsed.key === 'header') !== (count === 1)) {
      throw lineInvalid(
        number,
        count === 1 ? 'the first line must be the header' : 'only the first line may be a header',
      )
    }
    yield parsed
  }
}

/** Without line feeds. The last line may lack its own. */
async function* splitLines(body: ByteStream, lineMaxBytes: number): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const rest = chunk.subarray(start, end)
      checkLength(heldBytes + rest.length, lineMaxBytes)
      yield heldBytes === 0 ? Buffer.from(rest.buffer, rest.byteOffset, rest.length) : Buffer.concat([...pieces, rest])
      pieces = []
      heldBytes = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    pieces.push(chunk.subarray(start))
    heldBytes += chunk.length - start
    checkLength(heldBytes, lineMaxBytes)
  }
  if (heldBytes > 0) yield Buffer.concat(pieces)
}

const lineFeed = 0x0a

function checkLength(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return
  throw new HoldfastError('InputTooLarge', {
    message: `A line of a commit may have ${maxBytes} bytes here. Upload larger files as LFS files.`,
  })
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

// Where reading a line whole begins to be felt by others.
const longLineBytes = 256 * 1024

async function parseLongLine(line: Buffer, number: number): Promise<CommitHeader | FileChange> {
  const split = splitContent(line)
  const parsed = split === undefined ? undefined : parseLine(split.rest, number)
  // Only what was taken out of the place where a file's content stands, and was base64 there.
  if (split === undefined || parsed?.key !== 'file' || !parsed.isBase64 || parsed.content.length > 0) {
    return parseLine(line, number)
  }
  const content = await decodeInSlices(split.content)
  if (content === undefined) throw lineInvalid(number, 'its content is not base64')
  return { ...parsed, content }
}

function parseLine(line: Buffer, number: number): ParsedLine {
  let parsed: { key?: unknown; value?: unknown } | null
  try {
    parsed = JSON.parse(line.toString())
  } catch {
    throw lineInvalid(number, 'it is not JSON, or was cut off')
  }
  const key = parsed?.key
  if (typeof key !== 'string' || !Object.hasOwn(validators, key)) {
    throw lineInvalid(number, `its key must be one of ${Object.keys(validators).join(', ')}`)
  }
  const validator = validators[key as Key]
  const value = parsed?.value
  if (!validator.Check(value)) {
    const [error] = validator.Errors(value)
    throw lineInvalid(number, `${error?.instancePath || 'its value'} ${error?.message ?? 'is not valid'}`)
  }
  return readers[key as Key](value as never, number)
}

type ParsedLine = CommitHeader | (FileChange & { isBase64?: boolean })

const readers: { [K in Key]: (value: never, number: number) => ParsedLine } = {
  header: ({ summary, description, parentCommit }: Static<typeof Header>) => ({
    key: 'header',
    summary,
    description: description ?? '',
    parentCommit: parentCommit ?? undefined,
  }),
  file: ({ path, content, encoding, oldPath }: Static<typeof File>, number) => ({
    key: 'file',
    path,
    content: encoding === 'base64' ? decodeBase64(content, number) : decodeText(content, number),
    oldPath: oldPath ?? undefined,
    isBase64: encoding === 'base64',
  }),
  lfsFile: ({ path, oid, size }: Static<typeof LfsFile>) => ({
    key: 'lfsFile',
    path,
    lfsOid: parseLfsOid(oid) as LfsOid,
    sizeBytes: size ?? undefined,
  }),
  deletedFile: ({ path }: Static<typeof Deletion>) => ({ key: 'deletedFile', path }),
  deletedFolder: ({ path }: Static<typeof Deletion>) => ({ key: 'deletedFolder', path }),
}

/** Node passes over what is no base64: then fewer bytes come out than the text stands for. */
function decodeBase64(text: string, number: number): Buffer {
  const bytes = Buffer.from(text, 'base64')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding) return bytes
  throw lineInvalid(number, 'its content is not base64')
}

function decodeText(text: string, number: number): Buffer {
  if (!text.isWellFormed()) throw lineInvalid(number, 'its content is not Unicode text')
  return Buffer.from(text)
}

function lineInvalid(number: number, why: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message: `Line ${number} of the commit is not valid: ${why}.` })
}
