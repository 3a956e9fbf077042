/**
 * Deltas (gitformat-pack, "Deltified representation"): two sizes, then instructions that copy from the base or insert
 * bytes of their own. Nothing in a delta is believed: sizes, ranges and the reserved instruction 0 are checked.
 */
import { packInvalid } from './format.ts'

export interface DeltaSizes {
  baseSizeBytes: number
  resultSizeBytes: number
  /** Where the instructions begin. */
  instructionsAt: number
}

/** Reads the two sizes; the first 20 bytes of a delta are enough. Throws PackInvalid. */
export function readDeltaSizes(delta: Uint8Array): DeltaSizes {
  const sizes = [0, 0]
  let position = 0
  for (let index = 0; index < 2; index++) {
    let byte = 128
    for (let scale = 1; byte & 128; scale *= 128) {
      if (position >= delta.length) throw packInvalid('a delta ends within its sizes')
      byte = delta[position++]
      sizes[index] += (byte & 127) * scale
      if (scale > 2 ** 49 || sizes[index] > Number.MAX_SAFE_INTEGER) throw packInvalid('a delta has an absurd size')
    }
  }
  return { baseSizeBytes: sizes[0], resultSizeBytes: sizes[1], instructionsAt: position }
}

/**
 * The object that `delta` makes of `base`. The caller bounds `readDeltaSizes(delta).resultSizeBytes` first: that many
 * bytes are allocated. Throws PackInvalid.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Buffer {
  const sizes = readDeltaSizes(delta)
  const result = Buffer.allocUnsafe(sizes.resultSizeBytes)
  applyDeltaInto(base, delta, sizes, result, 0)
  return result
}

/** As `applyDelta`, into `result[start]`, where there must be room for `sizes.resultSizeBytes`. */
export function applyDeltaInto(
  base: Uint8Array,
  delta: Uint8Array,
  sizes: DeltaSizes,
  result: Buffer,
  start: number,
): void {
  const { baseSizeBytes, instructionsAt } = sizes
  if (baseSizeBytes !== base.length) throw packInvalid('a delta was made for a base of another size')
  const resultEnd = start + sizes.resultSizeBytes
  let filled = start
  const cursor = new DeltaCursor()
  cursor.reset(delta, instructionsAt)
  while (cursor.next()) {
    const { from, length } = cursor
    if (cursor.isCopy) {
      if (from + length > baseSizeBytes || filled + length > resultEnd) throw packInvalid('a delta copies out of range')
      copyBytes(base, from, result, filled, length)
    } else {
      if (filled + length > resultEnd) throw packInvalid('a delta inserts out of range')
      copyBytes(delta, from, result, filled, length)
    }
    filled += length
  }
  if (filled !== resultEnd) throw packInvalid('a delta makes fewer bytes than it announces')
}

/** Steps over a delta's instructions without making anything: `while (cursor.next()) …`. Ranges are not checked. */
export class DeltaCursor {
  /** Whether bytes are copied from the base, or those of the delta itself inserted. */
  isCopy = false
  /** Where the bytes lie, in the base or in the delta, and how many they are. */
  from = 0
  length = 0
  #delta: Uint8Array = new Uint8Array(0)
  #next = 0

  /** `instructionsAt` as `readDeltaSizes` tells it. */
  reset(delta: Uint8Array, instructionsAt: number): void {
    this.#delta = delta
    this.#next = instructionsAt
  }

  /** False at the end. Throws PackInvalid. */
  next(): boolean {
    const delta = this.#delta
    let position = this.#next
    const end = delta.length
    if (position >= end) return false
    const instruction = delta[position++]
    this.isCopy = instruction >= 128
    if (this.isCopy) {
      let offset = 0
      let length = 0
      if (instruction & 1) offset = delta[position++]
      if (instruction & 2) offset |= delta[position++] << 8
      if (instruction & 4) offset |= delta[position++] << 16
      if (instruction & 8) offset += delta[position++] * 0x1000000
      if (instruction & 16) length = delta[position++]
      if (instruction & 32) length |= delta[position++] << 8
      if (instruction & 64) length |= delta[position++] << 16
      this.from = offset
      this.length = length === 0 ? 0x10000 : length
    } else {
      if (instruction === 0) throw packInvalid('a delta has the reserved instruction 0')
      this.from = position
      this.length = instruction
      position += instruction
    }
    // Reading past the end makes `position` exceed it; what was read there is not used.
    if (position > end) throw packInvalid('a delta ends within an instruction')
    this.#next = position
    return true
  }
}

/** Most instructions move a few bytes, where a loop beats the call into native code. */
function copyBytes(from: Uint8Array, at: number, into: Buffer, intoAt: number, length: number): void {
  if (length < 48) {
    for (let index = 0; index < length; index++) into[intoAt + index] = from[at + index]
  } else into.set(from.subarray(at, at + length), intoAt)
}
