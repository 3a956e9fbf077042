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
  const largeCount = offsets
    .subarray(0, objectCount)
    .reduce((count, at) => (at >= largeOffsetBit ? count + 1 : count), 0)
  const crcsAt = idsAt + objectCount * idBytes
  const offsetsAt = crcsAt + objectCount * 4
  const largeAt = offsetsAt + objectCount * 4
  const checksumAt = largeAt + largeCount * 8
  const index = Buffer.alloc(checksumAt + 2 * idBytes)
  index.writeUInt32BE(indexMagic, 0)
  index.writeUInt32BE(indexVersion, 4)
  const counts = new Uint32Array(256)
  let large = 0
  for (let position = 0; position < objectCount; position++) {
    const entry = order[position]
    counts[ids[entry * idBytes]]++
    copyId(ids, entry * idBytes, index, idsAt + position * idBytes)
    writeUint32(index, crcsAt + position * 4, crcs[entry])
    const offset = offsets[entry]
    const isLarge = offset >= largeOffsetBit
    if (isLarge) index.writeBigUInt64BE(BigInt(offset), largeAt + large * 8)
    writeUint32(index, offsetsAt + position * 4, isLarge ? largeOffsetBit + large++ : offset)
  }
  let total = 0
  for (let byte = 0; byte < 256; byte++) {
    total += counts[byte]
    writeUint32(index, fanoutAt + byte * 4, total)
  }
  index.set(packChecksum, checksumAt)
  const digest = createHash('sha1').update(index.subarray(0, checksumAt + idBytes))
  digest.digest().copy(index, checksumAt + idBytes)
  return index
}

/** Some millions of these: calls of Buffer's methods take four times as long. */
function copyId(from: Uint8Array, fromAt: number, into: Uint8Array, at: number): void {
  for (let byte = 0; byte < idBytes; byte++) into[at + byte] = from[fromAt + byte]
}

function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
}
