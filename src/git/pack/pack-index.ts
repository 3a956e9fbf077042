/** Pack indexes of version 2 (gitformat-pack): which objects a pack holds and where, sorted by id. */
import { hash } from 'node:crypto'
import { HoldfastError } from '../../errors.ts'
import { idBytes, type ObjectId, objectIdAt } from '../object-id.ts'
import { packTrailerBytes } from './format.ts'
import { compareIds } from './id-order.ts'
import { fanoutAt, idsAt, indexMagic, indexVersion, largeOffsetBit } from './index-format.ts'

/** Objects are numbered by `position`, their place in the order of ids. */
export class PackIndex {
  readonly objectCount: number
  readonly #bytes: Buffer
  readonly #crcsAt: number
  readonly #offsetsAt: number
  readonly #largeOffsetsAt: number
  readonly #fanout = new Uint32Array(257)
  #positionsByOffset: Uint32Array | undefined
  #ranks: Uint32Array | undefined

  /**
   * Keeps `bytes`. Throws PackInvalid unless they are a whole, consistent index with the right checksum, which for those
   * that `isChecked` says were checked before is not looked at again.
   */
  constructor(bytes: Buffer, { isChecked = false }: { isChecked?: boolean } = {}) {
    if (bytes.length < idsAt + 40 || bytes.readUInt32BE(0) !== indexMagic || bytes.readUInt32BE(4) !== indexVersion) {
      throw indexInvalid('it is not a version 2 index')
    }
    this.#bytes = bytes
    for (let byte = 0; byte < 256; byte++) {
      const count = bytes.readUInt32BE(fanoutAt + byte * 4)
      if (count < this.#fanout[byte]) throw indexInvalid('its fan-out table falls')
      this.#fanout[byte + 1] = count
    }
    this.objectCount = this.#fanout[256]
    this.#crcsAt = idsAt + this.objectCount * idBytes
    this.#offsetsAt = this.#crcsAt + this.objectCount * 4
    this.#largeOffsetsAt = this.#offsetsAt + this.objectCount * 4
    if (isChecked) return
    this.#checkTables()
    const digest = hash('sha1', bytes.subarray(0, -20), 'hex')
    if (digest !== objectIdAt(bytes, bytes.length - 20)) throw indexInvalid('its checksum is wrong')
  }

  /** The whole of it; a view, not to be written to. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** The SHA-1 at the end of the pack that this index belongs to. */
  get packChecksum(): Buffer {
    return this.#bytes.subarray(-40, -20)
  }

  /** The position of the object whose id stands at `bytes[offset]`, or -1. */
  find(bytes: Uint8Array, offset = 0): number {
    const table = this.#bytes
    const first = bytes[offset]
    let low = this.#fanout[first]
    let high = this.#fanout[first + 1] - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const order = compareIds(table, idsAt + middle * idBytes, bytes, offset)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** The ids that begin with the hex digits of `prefix` (at least 2), at most `max` of them, in order. */
  idsWithPrefix(prefix: string, max: number): ObjectId[] {
    const found: ObjectId[] = []
    let position = this.#lowerBound(Buffer.from(prefix.padEnd(idBytes * 2, '0'), 'hex'))
    while (position < this.objectCount && found.length < max) {
      const id = this.idAt(position++)
      if (!id.startsWith(prefix)) break
      found.push(id)
    }
    return found
  }

  idAt(position: number): ObjectId {
    return objectIdAt(this.#bytes, idsAt + position * idBytes)
  }

  /** Writes the 20 bytes of the id into `into` at `offset`. */
  copyId(position: number, into: Uint8Array, offset: number): void {
    const at = idsAt + position * idBytes
    into.set(this.#bytes.subarray(at, at + idBytes), offset)
  }

  /** All ids in order, 20 bytes each; a view, not to be written to. */
  get ids(): Buffer {
    return this.#bytes.subarray(idsAt, this.#crcsAt)
  }

  /** The CRC-32 of the entry's bytes as they lie in the pack. */
  crcAt(position: number): number {
    return this.#bytes.readUInt32BE(this.#crcsAt + position * 4)
  }

  /** Where in the pack the entry begins. */
  offsetAt(position: number): number {
    const word = this.#bytes.readUInt32BE(this.#offsetsAt + position * 4)
    if (word < largeOffsetBit) return word
    const at = this.#largeOffsetsAt + (word - largeOffsetBit) * 8
    return this.#bytes.readUInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
  }

  /** Positions in the order in which their entries lie in the pack. Computed at the first call, unless adopted. */
  positionsByOffset(): Uint32Array {
    this.#positionsByOffset ??= this.#sortByOffset()
    return this.#positionsByOffset
  }

  /** Takes over what `positionsByOffset` would compute. */
  adoptOffsetOrder(positions: Uint32Array): void {
    this.#positionsByOffset ??= positions
  }

  /** The position of the object whose entry begins at `offset`, or -1. */
  positionAtOffset(offset: number): number {
    const positions = this.positionsByOffset()
    let low = 0
    let high = positions.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = this.offsetAt(positions[middle])
      if (found === offset) return positions[middle]
      if (found < offset) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** Where the entry at `position` ends, in a pack of `packSizeBytes`. */
  endAt(position: number, packSizeBytes: number): number {
    const positions = this.positionsByOffset()
    this.#ranks ??= invert(positions)
    const next = this.#ranks[position] + 1
    return next < positions.length ? this.offsetAt(positions[next]) : packSizeBytes - packTrailerBytes
  }

  /** The first position whose id is not below `id`; `objectCount` where all are below. */
  #lowerBound(id: Uint8Array): number {
    let low = this.#fanout[id[0]]
    let high = this.#fanout[id[0] + 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareIds(this.#bytes, idsAt + middle * idBytes, id, 0) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #sortByOffset(): Uint32Array {
    const offsets = new Float64Array(this.objectCount)
    for (let position = 0; position < offsets.length; position++) offsets[position] = this.offsetAt(position)
    // A native sort of the bare numbers and a search per entry: 4 times faster than a sort with a comparator.
    offsets.sort()
    const positions = new Uint32Array(this.objectCount)
    for (let position = 0; position < positions.length; position++) {
      positions[rankOf(offsets, this.offsetAt(position))] = position
    }
    return positions
  }

  #checkTables(): void {
    const bytes = this.#bytes
    const largeBytes = bytes.length - 40 - this.#largeOffsetsAt
    if (largeBytes < 0 || largeBytes % 8 !== 0) throw indexInvalid('its size does not fit its object count')
    for (let position = 0; position < this.objectCount; position++) {
      const at = idsAt + position * idBytes
      const first = bytes[at]
      if (position < this.#fanout[first] || position >= this.#fanout[first + 1]) {
        throw indexInvalid('its fan-out table does not fit its ids')
      }
      if (position > 0 && compareIds(bytes, at - idBytes, bytes, at) >= 0) throw indexInvalid('its ids are not sorted')
      const word = bytes.readUInt32BE(this.#offsetsAt + position * 4)
      if (word < largeOffsetBit) continue
      const largeAt = (word - largeOffsetBit) * 8
      if (largeAt >= largeBytes || bytes.readUInt32BE(this.#largeOffsetsAt + largeAt) >= 2 ** 21) {
        throw indexInvalid('an offset is out of range')
      }
    }
  }
}

function invert(order: Uint32Array): Uint32Array {
  const ranks = new Uint32Array(order.length)
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]] = rank
  return ranks
}

/** The last rank whose offset is not above `offset`; -1 where all are above. */
function rankOf(offsets: Float64Array, offset: number): number {
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (offsets[middle] <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

function indexInvalid(what: string): HoldfastError {
  return new HoldfastError('PackInvalid', { message: `The pack index is damaged: ${what}.` })
}
