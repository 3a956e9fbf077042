/**
 * What a commit changed: the trees and blobs that its tree holds and its parents' trees do not, and those that the parents'
 * trees hold in their place. By a merge-join of the trees, which opens only what differs, on both sides.
 *
 * Whoever has all parents' trees has, with what is introduced, the commit's tree: each of its entries is introduced or
 * stands in some parent's tree at the same path.
 */
import { HoldfastError } from '../../errors.ts'
import type { FairLoop } from '../fair-loop.ts'
import { objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'
import { OrdinalNumbers } from './ordinal-numbers.ts'
import { compareEntries, haveSameId, sharedBytes } from './tree-order.ts'

// More parents seldom cover more, and each costs a pass over its entries. What they would have covered is introduced again.
const parentsMax = 8

interface OpenTrees {
  /** -1 where only parents have something at this path. */
  tree: Ordinal
  parents: readonly Ordinal[]
}

export class TreeChanges {
  /** Of the last `compare`; each object once, and none of the first among the second. */
  readonly introduced: Ordinal[] = []
  readonly replaced: Ordinal[] = []
  /** Of the trees of all comparisons: what they cost. */
  readBytes = 0
  readonly #objects: ObjectDatabase
  readonly #pause: FairLoop
  /** The round in which an object was last introduced or replaced. */
  readonly #introducedIn: OrdinalNumbers
  readonly #replacedIn: OrdinalNumbers
  #round = 0

  constructor(objects: ObjectDatabase, pause: FairLoop) {
    this.#objects = objects
    this.#pause = pause
    this.#introducedIn = new OrdinalNumbers(objects.ordinalCount)
    this.#replacedIn = new OrdinalNumbers(objects.ordinalCount)
  }

  /** Compares a commit's tree with those of its parents. Throws ObjectMissing, ObjectInvalid. */
  async compare(tree: Ordinal, parentTrees: readonly Ordinal[]): Promise<void> {
    this.#round++
    this.introduced.length = 0
    this.replaced.length = 0
    if (parentTrees.includes(tree)) return
    const open: OpenTrees[] = []
    const parents = parentTrees.slice(0, parentsMax)
    this.#introduce(tree, true, parents, open)
    for (const parent of parents) this.#replace(parent)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      this.#join(next, open)
      if (this.#pause.due(8)) await this.#pause.now()
    }
    // What only moved stands in a parent's tree: its paths there have been seen by now.
    let kept = 0
    for (const ordinal of this.introduced) {
      if (this.#replacedIn.get(ordinal) !== this.#round) this.introduced[kept++] = ordinal
    }
    this.introduced.length = kept
  }

  #join({ tree, parents }: OpenTrees, open: OpenTrees[]): void {
    const sides = parents.map((parent) => new Side(this.#read(parent)))
    // What one of several parents has and the commit does not may have been taken away by another one.
    const isRemoval = parents.length === 1
    if (tree >= 0) {
      const data = this.#read(tree)
      const entry = new TreeCursor(data)
      for (;;) {
        passOverShared(entry, data, sides)
        if (!entry.next()) break
        let isCovered = isGitlink(entry.mode)
        for (const side of sides) {
          this.#passOver(side, entry, isRemoval ? open : undefined)
          side.isBeside = side.peek() && compareEntries(side.cursor, entry) === 0
          if (side.isBeside && haveSameId(side.cursor, entry)) isCovered = true
        }
        if (!isCovered) this.#meet(entry, sides, open)
        for (const side of sides) if (side.isBeside) side.step()
      }
    }
    if (isRemoval) this.#passOver(sides[0], undefined, open)
  }

  /** An entry of the commit's tree that no parent has at this path. */
  #meet(entry: TreeCursor, sides: readonly Side[], open: OpenTrees[]): void {
    const replaced: Ordinal[] = []
    for (const side of sides) {
      const ordinal = side.isBeside ? this.#locate(side.cursor) : -1
      if (ordinal < 0) continue
      this.#replace(ordinal)
      replaced.push(ordinal)
    }
    const ordinal = this.#locate(entry)
    if (ordinal < 0) throw missing(entry)
    this.#introduce(ordinal, isDirectory(entry.mode), replaced, open)
  }

  /** Entries of a parent before `entry`, or all that are left: where the commit's tree has nothing, if `open` is given. */
  #passOver(side: Side, entry: TreeCursor | undefined, open: OpenTrees[] | undefined): void {
    for (; side.peek() && (entry === undefined || compareEntries(side.cursor, entry) < 0); side.step()) {
      const ordinal = open === undefined ? -1 : this.#locate(side.cursor)
      // Once each, however often it is nested: trees can be made of which all paths are too many to walk.
      const isNew = ordinal >= 0 && this.#replace(ordinal)
      if (isNew && isDirectory(side.cursor.mode)) open?.push({ tree: -1, parents: [ordinal] })
    }
  }

  #introduce(ordinal: Ordinal, isTree: boolean, parents: readonly Ordinal[], open: OpenTrees[]): void {
    const isNew = this.#introducedIn.get(ordinal) !== this.#round
    this.#introducedIn.set(ordinal, this.#round)
    if (isNew) this.introduced.push(ordinal)
    if (isTree && isNew) open.push({ tree: ordinal, parents })
  }

  /** True where it was not replaced before. */
  #replace(ordinal: Ordinal): boolean {
    if (this.#replacedIn.get(ordinal) === this.#round) return false
    this.#replacedIn.set(ordinal, this.#round)
    this.replaced.push(ordinal)
    return true
  }

  #locate(entry: TreeCursor): Ordinal {
    return isGitlink(entry.mode) ? -1 : this.#objects.locate(entry.data, entry.idAt)
  }

  #read(tree: Ordinal): Buffer {
    const { type, data } = this.#objects.read(tree)
    this.readBytes += data.length
    if (type === 'tree') return data
    throw new HoldfastError('ObjectInvalid', { message: `${this.#objects.idOf(tree)} is not a tree.` })
  }
}

/** A parent's tree, read beside the commit's. */
class Side {
  readonly data: Buffer
  readonly cursor: TreeCursor
  /** Its entry has the name of the commit's. */
  isBeside = false
  /** Where its next entry begins. */
  position = 0
  /** From there on, the bytes that the commit's tree has as well, and how many of them are whole entries. */
  shared = 0
  common = 0

  constructor(data: Buffer) {
    this.data = data
    this.cursor = new TreeCursor(data)
  }

  /** Puts the cursor on the next entry, without going on to the one after; false where there is none. */
  peek(): boolean {
    this.cursor.seek(this.position)
    return this.cursor.next()
  }

  step(): void {
    this.position = this.cursor.end
  }
}

/** Puts all behind the entries that the commit's tree and a parent's have in common here: they are covered. */
function passOverShared(entry: TreeCursor, data: Buffer, sides: readonly Side[]): void {
  const start = entry.end
  let longest = 0
  for (const side of sides) {
    side.shared = sharedBytes(data, start, side.data, side.position)
    if (side.shared > longest) longest = side.shared
    if (start + side.shared < data.length || side.position + side.shared < side.data.length) continue
    side.position = side.data.length
    entry.seek(data.length)
    return
  }
  let end = start
  while (entry.next() && entry.end <= start + longest) {
    end = entry.end
    for (const side of sides) if (end - start <= side.shared) side.common = end - start
  }
  entry.seek(end)
  for (const side of sides) {
    side.position += side.common
    side.common = 0
  }
}

function missing({ data, idAt }: TreeCursor): HoldfastError {
  return new HoldfastError('ObjectMissing', { message: `Object ${objectIdAt(data, idAt)} is missing.` })
}
