/** Loose objects (gitrepository-layout, "objects"): one zlib file each, `<type> <size>\0<content>`. */
import { closeSync, createReadStream, createWriteStream, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createDeflate, createInflate, inflateSync } from 'node:zlib'
import { HoldfastError } from '../errors.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { GitObject, ObjectType } from '../git/repository.ts'

export interface LooseObject {
  /** 40 hex digits. */
  id: string
  file: string
}

// A header takes at most 32 bytes; this much compressed input always holds it.
const headerInputBytes = 512

/** The loose objects of one `objects` folder, in no order. */
export function listLooseObjects(objectsPath: string): LooseObject[] {
  const folders = readdirSync(objectsPath).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return folders.flatMap((folder) =>
    readFolder(join(objectsPath, folder))
      .filter((name) => /^[0-9a-f]{38}$/.test(name))
      .map((name) => ({ id: folder + name, file: join(objectsPath, folder, name) })),
  )
}

/** A gc removes folders that it has emptied. */
function readFolder(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Type and size, by inflating the file's beginning alone. Throws ObjectInvalid. */
export function statLooseObject({ file, id }: LooseObject): { type: ObjectType; sizeBytes: number } {
  const input = Buffer.alloc(headerInputBytes)
  const descriptor = openSync(file, 'r')
  try {
    const length = readSync(descriptor, input, 0, headerInputBytes, 0)
    const start = inflateSync(input.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
    return parseHeader(start, id)
  } finally {
    closeSync(descriptor)
  }
}

/** The whole object. Throws ObjectInvalid. */
export function readLooseObject({ file, id }: LooseObject): GitObject {
  const bytes = inflateSync(readFileSync(file))
  const { type, sizeBytes, contentAt } = parseHeader(bytes, id)
  const data = bytes.subarray(contentAt)
  if (data.length !== sizeBytes) throw malformed(id)
  return { type, data }
}

/** The content in pieces. Throws ObjectInvalid; ENOENT at once. */
export function streamLooseObject({ file, id }: LooseObject): AsyncIterable<Uint8Array> {
  return inflateContent(createReadStream(file, { fd: openSync(file, 'r') }), id)
}

async function* inflateContent(file: Readable, id: string): AsyncGenerator<Uint8Array> {
  let isHeaderRead = false
  try {
    for await (const chunk of file.pipe(createInflate())) {
      const start = isHeaderRead ? 0 : parseHeader(chunk, id).contentAt
      isHeaderRead = true
      if (start < chunk.length) yield chunk.subarray(start)
    }
  } finally {
    file.destroy()
  }
}

/**
 * Writes a loose object into `folder`, a folder of objects, durably and read-only as git does. `folder` is one that nobody
 * else reads, so that it may take its name before it is whole.
 */
export async function writeLooseObject(
  folder: string,
  id: ObjectId,
  { type, sizeBytes, content }: { type: ObjectType; sizeBytes: number; content: AsyncIterable<Uint8Array> },
): Promise<void> {
  await mkdir(join(folder, id.slice(0, 2)), { recursive: true })
  const file = createWriteStream(join(folder, id.slice(0, 2), id.slice(2)), { flags: 'wx', mode: 0o444, flush: true })
  // git's own level for loose objects: they are packed soon.
  await pipeline(withHeader(type, sizeBytes, content), createDeflate({ level: constants.Z_BEST_SPEED }), file)
}

async function* withHeader(type: ObjectType, sizeBytes: number, content: AsyncIterable<Uint8Array>) {
  yield Buffer.from(`${type} ${sizeBytes}\0`)
  yield* content
}

function parseHeader(bytes: Buffer, id: string): { type: ObjectType; sizeBytes: number; contentAt: number } {
  const end = bytes.indexOf(0)
  const header = /^(commit|tree|blob|tag) ([0-9]+)$/.exec(bytes.toString('latin1', 0, Math.max(end, 0)))
  if (header === null) throw malformed(id)
  return { type: header[1] as ObjectType, sizeBytes: Number(header[2]), contentAt: end + 1 }
}

function malformed(id: string): HoldfastError {
  return new HoldfastError('ObjectInvalid', { message: `The loose object ${id} is malformed.` })
}
