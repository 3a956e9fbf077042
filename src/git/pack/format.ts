/**
 * The bytes of a pack around its zlib streams (gitformat-pack): the 12-byte header, each entry's type and size, where a
 * delta's base is, and the SHA-1 at the end. Numbers reach 2^53: no 32-bit arithmetic on sizes or offsets.
 */
import { HoldfastError } from '../../errors.ts'
import { idBytes } from '../object-id.ts'
import type { GitObject, ObjectType } from '../repository.ts'

export const packHeaderBytes = 12
export const packTrailerBytes = 20
/** Type and size (8 bytes reach 2^53) and the longer of the two base references. */
export const entryHeaderMaxBytes = 8 + idBytes

export const typeCodes = { commit: 1, tree: 2, blob: 3, tag: 4, ofsDelta: 6, refDelta: 7 } as const

const types: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']

/** The object type of a code from 1 to 4; undefined for deltas and for codes that mean nothing. */
export function typeOfCode(code: number): ObjectType | undefined {
  return types[code]
}

/** A PackInvalid error that says what is wrong and, where known, at which byte of the pack. */
export function packInvalid(what: string, offset?: number): HoldfastError {
  const where = offset === undefined ? '' : ` at offset ${offset}`
  return new HoldfastError('PackInvalid', { message: `The pack is damaged: ${what}${where}.` })
}

/** The object count in a pack's first 12 bytes. Throws PackInvalid for another signature or version than 2 and 3. */
export function readPackHeader(bytes: Buffer): number {
  if (bytes.length < packHeaderBytes || bytes.toString('latin1', 0, 4) !== 'PACK') {
    throw packInvalid('it does not begin with PACK', 0)
  }
  const version = bytes.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw packInvalid(`version ${version} is unknown`, 4)
  return bytes.readUInt32BE(8)
}

/** The first 12 bytes of a pack of version 2. */
export function writePackHeader(objectCount: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(objectCount, 8)
  return header
}

/** What stands before an entry's compressed bytes. One object is filled again and again, so that loops allocate none. */
export interface EntryHeader {
  /** 1 to 4, 6 or 7. */
  typeCode: number
  /** Inflated bytes: of the object, or of the delta's instructions. */
  sizeBytes: number
  /** For an ofs-delta, how far before this entry its base begins; otherwise 0. */
  baseDistance: number
  /** For a ref-delta, where in the bytes the base's 20-byte id stands; otherwise -1. */
  baseIdAt: number
  /** Where in the bytes the compressed data begins. */
  dataAt: number
}

/** A header for `readEntryHeader` to fill. */
export function emptyEntryHeader(): EntryHeader {
  return { typeCode: 0, sizeBytes: 0, baseDistance: 0, baseIdAt: -1, dataAt: 0 }
}

/**
 * Reads the entry header at `bytes[at]` into `header`; `limit` is the end of the valid bytes. Returns false where the
 * bytes end before the header does. Throws PackInvalid for an unknown type and for numbers above 2^53.
 */
export function readEntryHeader(bytes: Uint8Array, at: number, limit: number, header: EntryHeader): boolean {
  let position = at
  if (position >= limit) return false
  let byte = bytes[position++]
  const typeCode = (byte >> 4) & 7
  if (typeCode === 0 || typeCode === 5) throw packInvalid(`an entry has the unknown type ${typeCode}`)
  let sizeBytes = byte & 15
  for (let scale = 16; byte & 128; scale *= 128) {
    if (position >= limit) return false
    byte = bytes[position++]
    sizeBytes += (byte & 127) * scale
    if (scale > 2 ** 46 || sizeBytes > Number.MAX_SAFE_INTEGER) throw packInvalid('an entry announces an absurd size')
  }
  header.typeCode = typeCode
  header.sizeBytes = sizeBytes
  header.baseDistance = 0
  header.baseIdAt = -1
  if (typeCode === typeCodes.ofsDelta) {
    position = readOfsDistance(bytes, position, limit, header)
    if (position < 0) return false
  } else if (typeCode === typeCodes.refDelta) {
    header.baseIdAt = position
    position += idBytes
  }
  header.dataAt = position
  return position <= limit
}

/** Each byte after the first adds one before it shifts, so that no distance has two spellings. */
function readOfsDistance(bytes: Uint8Array, at: number, limit: number, header: EntryHeader): number {
  let position = at
  if (position >= limit) return -1
  let byte = bytes[position++]
  let distance = byte & 127
  while (byte & 128) {
    if (position >= limit) return -1
    byte = bytes[position++]
    distance = (distance + 1) * 128 + (byte & 127)
    if (distance > Number.MAX_SAFE_INTEGER) throw packInvalid('a delta names an absurd base offset')
  }
  header.baseDistance = distance
  return position
}

/** Writes type and size at `into[at]`; returns the position behind them. */
export function writeEntryHeader(into: Uint8Array, at: number, typeCode: number, sizeBytes: number): number {
  let position = at
  let rest = Math.floor(sizeBytes / 16)
  into[position++] = (typeCode << 4) | (sizeBytes % 16) | (rest > 0 ? 128 : 0)
  while (rest > 0) {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    into[position++] = low | (rest > 0 ? 128 : 0)
  }
  return position
}

/** The bytes of a whole object's entry; `compressed` is its content as zlib leaves it. */
export function formatEntry({ type, data }: GitObject, compressed: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(entryHeaderMaxBytes)
  const headerBytes = writeEntryHeader(header, 0, typeCodes[type], data.length)
  return Buffer.concat([header.subarray(0, headerBytes), compressed])
}

/** Writes an ofs-delta's distance to its base at `into[at]`; returns the position behind it. */
export function writeOfsDistance(into: Uint8Array, at: number, distance: number): number {
  let length = 1
  for (let rest = distance; rest >= 128; rest = Math.floor(rest / 128) - 1) length++
  let rest = distance
  for (let position = at + length - 1; position >= at; position--) {
    into[position] = (rest % 128) | (position === at + length - 1 ? 0 : 128)
    rest = Math.floor(rest / 128) - 1
  }
  return at + length
}
