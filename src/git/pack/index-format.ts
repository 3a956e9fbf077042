/**
 * The bytes of a pack index of version 2 (gitformat-pack): where its tables are, and a new one written. What is written
 * here is, for a self-contained pack, byte for byte what `git index-pack` writes.
 */
import { createHash } from 'node:crypto'
import { idBytes } from '../object-id.ts'
import { sortIds } from './id-order.ts'

export const indexMagic = 0xff744f63
export const indexVersion = 2
export const fanoutAt = 8
export const idsAt = fanoutAt + 256 * 4
/** In the table of 32-bit offsets: the rest is a place in the table of 64-bit ones. */
export const largeOffsetBit = 0x80000000

/** What is known of each entry, in any order: all four tables have `objectCount` elements. */
export interface IndexEntries {
  objectCount: number
  /** 20 bytes each. */
  ids: Buffer
  crcs: Uint32Array
  offsets: Float64Array
}

/** The bytes of the index of these entries. The ids must differ: `sortIds` tells. */
export function writePackIndex(entries: IndexEntries, packChecksum: Uint8Array, order = sortIds(entries)): Buffer {
  const { objectCount, ids, crcs, offsets } = entries
  const crcsAt = idsAt + objectCount * idBytes
  const offsetsAt = crcsAt + objectCount * 4
  const largeOffsets: number[] = []
  const tables = Buffer.alloc(offsetsAt + objectCount * 4)
  tables.writeUInt32BE(indexMagic, 0)
  tables.writeUInt32BE(indexVersion, 4)
  const counts = new Uint32Array(256)
  for (let position = 0; position < objectCount; position++) {
    const entry = order[position]
    counts[ids[entry * idBytes]]++
    ids.copy(tables, idsAt + position * idBytes, entry * idBytes, (entry + 1) * idBytes)
    tables.writeUInt32BE(crcs[entry], crcsAt + position * 4)
    const offset = offsets[entry]
    const isLarge = offset >= largeOffsetBit
    tables.writeUInt32BE(isLarge ? largeOffsetBit + largeOffsets.length : offset, offsetsAt + position * 4)
    if (isLarge) largeOffsets.push(offset)
  }
  let total = 0
  for (let byte = 0; byte < 256; byte++) {
    total += counts[byte]
    tables.writeUInt32BE(total, fanoutAt + byte * 4)
  }
  const large = Buffer.alloc(largeOffsets.length * 8)
  for (const [index, offset] of largeOffsets.entries()) large.writeBigUInt64BE(BigInt(offset), index * 8)
  const parts = [tables, large, packChecksum]
  const digest = createHash('sha1')
  for (const part of parts) digest.update(part)
  return Buffer.concat([...parts, digest.digest()])
}
