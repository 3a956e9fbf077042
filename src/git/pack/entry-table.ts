/** What is kept of each entry of a pack that is being received: flat arrays that grow with the entries that arrive. */
import { idBytes } from '../object-id.ts'
import { IdSet } from './id-set.ts'

export const noBase = -1

export class EntryTable {
  count = 0
  deltaCount = 0
  offsets = new Float64Array(64)
  crcs = new Uint32Array(64)
  /** Type codes as in the pack; 0 for a delta until it is resolved. */
  types = new Uint8Array(64)
  ids = Buffer.alloc(64 * idBytes)
  /** Inflated bytes of the object, once known. */
  sizes = new Float64Array(64)
  /** The object's number among all ids that the pack holds or names, once known. */
  members = new Uint32Array(64)
  /** 1 where the delta names its base by id. */
  refDeltas = new Uint8Array(64)
  /** The entry number of a delta's base, once known; from `count` on, of a base outside the pack. */
  bases = new Int32Array(64)
  /** The next delta of the same base. */
  next = new Int32Array(64)
  /** Ids that deltas name as their base and, under the same number, the first such delta. */
  readonly baseIds = new IdSet()
  readonly firstOfBaseId: number[] = []

  add(offset: number): number {
    if (this.count === this.types.length) this.#grow()
    const entry = this.count++
    this.offsets[entry] = offset
    this.bases[entry] = noBase
    return entry
  }

  /** The delta `entry` names its base by the id at `bytes[at]`. */
  addBaseId(entry: number, bytes: Uint8Array, at: number): void {
    const number = this.baseIds.add(bytes, at)
    this.refDeltas[entry] = 1
    this.next[entry] = this.firstOfBaseId[number] ?? noBase
    this.firstOfBaseId[number] = entry
  }

  /** The entry that begins at `offset`, or -1. */
  findOffset(offset: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.offsets[middle] < offset) low = middle + 1
      else high = middle
    }
    return low < this.count && this.offsets[low] === offset ? low : -1
  }

  #grow(): void {
    const length = this.types.length * 2
    this.offsets = copyInto(new Float64Array(length), this.offsets)
    this.crcs = copyInto(new Uint32Array(length), this.crcs)
    this.types = copyInto(new Uint8Array(length), this.types)
    this.ids = copyInto(Buffer.alloc(length * idBytes), this.ids)
    this.sizes = copyInto(new Float64Array(length), this.sizes)
    this.members = copyInto(new Uint32Array(length), this.members)
    this.refDeltas = copyInto(new Uint8Array(length), this.refDeltas)
    this.bases = copyInto(new Int32Array(length), this.bases)
    this.next = copyInto(new Int32Array(length), this.next)
  }
}

function copyInto<T extends { set(from: T): void }>(into: T, from: T): T {
  into.set(from)
  return into
}
