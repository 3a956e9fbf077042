/**
 * Where the entries of a tree begin that a delta made of another tree. Runs of whole entries that the delta copies need not
 * be read again: a history of 80,000 commits has 58 million entries in its trees, and nearly all of them are copies.
 */
import { TreeCursor } from '../tree.ts'
import { DeltaCursor, readDeltaSizes } from './delta.ts'

export class RevisedTree {
  /** Of entries. */
  count = 0
  /** Where each entry begins, and behind them where the last one ends. What follows is left from other trees. */
  starts = new Uint32Array(1024)
  /** The numbers of entries that are not copied from the base. */
  readonly newEntries: number[] = []
  /** The numbers of entries that follow another one than in the base: the new ones, and where a run of copied ones begins. */
  readonly seams: number[] = []
  readonly #cursor = new TreeCursor(new Uint8Array(0))
  readonly #delta = new DeltaCursor()

  /** The entries of a tree of which nothing is known. Throws ObjectInvalid where the bytes are no tree. */
  readWhole(data: Uint8Array): void {
    this.#begin(data)
    this.#readUpTo(data.length)
    this.starts[this.count] = data.length
  }

  /**
   * The entries of `data`, which `delta` makes of a tree whose entries begin at `baseStarts` (behind them, its end). Throws
   * ObjectInvalid where the bytes are no tree.
   */
  readDelta(data: Uint8Array, delta: Uint8Array, baseStarts: Uint32Array): void {
    this.#begin(data)
    this.#delta.reset(delta, readDeltaSizes(delta).instructionsAt)
    for (let at = 0; this.#delta.next(); at += this.#delta.length) {
      if (this.#delta.isCopy) this.#copy(at, this.#delta, baseStarts)
    }
    this.#readUpTo(data.length)
    this.starts[this.count] = data.length
  }

  #begin(data: Uint8Array): void {
    this.#cursor.reset(data)
    this.count = 0
    this.newEntries.length = 0
    this.seams.length = 0
  }

  /** `length` bytes from `at` on are those at `from` in the base. */
  #copy(at: number, { from, length }: DeltaCursor, baseStarts: Uint32Array): void {
    this.#readUpTo(at)
    const shift = at - from
    // Where the copy begins within an entry, the next one begins where one does in the base, unless ids imitate entries.
    let entry = findStart(baseStarts, this.#cursor.end - shift)
    while (entry < 0 && this.#cursor.end < at + length) {
      this.#readEntry()
      entry = findStart(baseStarts, this.#cursor.end - shift)
    }
    if (entry < 0) return
    const first = this.count
    const last = baseStarts.length - 1
    for (; entry < last && baseStarts[entry + 1] <= from + length; entry++) this.#add(baseStarts[entry] + shift)
    if (this.count === first) return
    this.seams.push(first)
    this.#cursor.seek(baseStarts[entry] + shift)
  }

  #readUpTo(end: number): void {
    while (this.#cursor.end < end) this.#readEntry()
  }

  #readEntry(): void {
    this.newEntries.push(this.count)
    this.seams.push(this.count)
    this.#add(this.#cursor.end)
    this.#cursor.next()
  }

  #add(start: number): void {
    // One place is for the end.
    if (this.count + 1 === this.starts.length) {
      const larger = new Uint32Array(this.starts.length * 2)
      larger.set(this.starts)
      this.starts = larger
    }
    this.starts[this.count++] = start
  }
}

/** The number of the entry that begins at `position`; -1 where none does, not even behind the last one. */
function findStart(starts: Uint32Array, position: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (starts[middle] < position) low = middle + 1
    else high = middle
  }
  return starts[low] === position ? low : -1
}
