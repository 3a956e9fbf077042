/** Loose objects (gitrepository-layout, "objects"): one zlib file each, `<type> <size>\0<content>`. */
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { constants, createInflate, inflateSync } from 'node:zlib'
import { HoldfastError } from '../errors.ts'
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
    readdirSync(join(objectsPath, folder))
      .filter((name) => /^[0-9a-f]{38}$/.test(name))
      .map((name) => ({ id: folder + name, file: join(objectsPath, folder, name) })),
  )
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

/** The content in pieces. Throws ObjectInvalid. */
export async function* streamLooseObject({ file, id }: LooseObject): AsyncGenerator<Uint8Array> {
  let isHeaderRead = false
  for await (const chunk of createReadStream(file).pipe(createInflate())) {
    const start = isHeaderRead ? 0 : parseHeader(chunk, id).contentAt
    isHeaderRead = true
    if (start < chunk.length) yield chunk.subarray(start)
  }
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
