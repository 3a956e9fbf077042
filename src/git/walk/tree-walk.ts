/**
 * Selects what a tree holds beyond trees that are already covered (sent before, or held by the client): by a merge-join
 * with them, which opens only what differs. So the walk costs what changed, not what exists.
 *
 * It rests on an order: a tree may be used as base, and a selected tree may be skipped, only because everything below it
 * is covered by then. So commits are taken parents first, and each tree is finished before the next begins. A filter that
 * decides by place changes nothing about bases, which stand at the same place; but a selected tree is opened again at others.
 */
import { HoldfastError } from '../../errors.ts'
import type { FairLoop } from '../fair-loop.ts'
import { objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'
import { isPlaced, leavesOutBlobs, noFilter, type ObjectFilter } from './object-filter.ts'
import { compareEntries, haveSameId } from './tree-order.ts'
import { PlacedFilter, type TreePlace } from './tree-place.ts'

// More bases seldom cover more, and each costs a pass over its entries.
const basesMax = 8

/** How selected objects are marked. */
export const marks = { none: 0, commit: 1, tag: 2, tree: 3, blob: 4 } as const

interface OpenTree {
  tree: Ordinal
  bases: readonly Ordinal[]
  place: TreePlace | undefined
}

/** A covered tree, read beside the one that is compared with it. */
interface Join {
  cursor: TreeCursor
  isDone: boolean
  isKnown: boolean
}

export class TreeWalk {
  readonly #objects: ObjectDatabase
  readonly #selected: Uint8Array
  readonly #known: Uint8Array
  readonly #pause: FairLoop
  readonly #hasBlobs: boolean
  readonly #placed: PlacedFilter | undefined

  /**
   * Marks in `selected` what is to be sent; reads and sets `known` for what the client has. Both are by ordinal. Of
   * `filter` only what spares work is heeded here, and what depends on the place.
   */
  constructor(
    objects: ObjectDatabase,
    { selected, known }: { selected: Uint8Array; known: Uint8Array },
    pause: FairLoop,
    filter: ObjectFilter = noFilter,
  ) {
    this.#objects = objects
    this.#selected = selected
    this.#known = known
    this.#pause = pause
    this.#hasBlobs = !leavesOutBlobs(filter)
    this.#placed = isPlaced(filter) ? new PlacedFilter(filter, objects.ordinalCount) : undefined
  }

  /** Selects a commit's tree and what it holds beyond `bases`. Throws ObjectMissing, ObjectInvalid. */
  async walk(root: Ordinal, bases: readonly Ordinal[]): Promise<void> {
    if (!bases.includes(root)) await this.#walk(root, bases.slice(0, basesMax), this.#placed?.root)
  }

  /** Selects a tree that the client names itself, and what it holds. Throws ObjectMissing, ObjectInvalid. */
  async walkGiven(tree: Ordinal): Promise<void> {
    await this.#walk(tree, [], this.#placed?.given)
  }

  async #walk(root: Ordinal, bases: readonly Ordinal[], place: TreePlace | undefined): Promise<void> {
    if (this.#known[root] || !this.#mustOpen(root, place)) return
    this.#selected[root] = marks.tree
    const open: OpenTree[] = [{ tree: root, bases, place }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      this.#compare(next, open)
      if (this.#pause.due(8)) await this.#pause.now()
    }
  }

  #compare({ tree, bases, place }: OpenTree, open: OpenTree[]): void {
    const joins = bases.map((base) => this.#join(base))
    const entry = this.#cursor(tree)
    while (entry.next()) {
      const subtrees: Ordinal[] = []
      let isCovered = false
      for (const join of joins) {
        this.#passOver(join, entry)
        const { cursor, isKnown } = join
        if (join.isDone || compareEntries(cursor, entry) !== 0) continue
        if (haveSameId(cursor, entry)) isCovered = true
        else if (isKnown || isDirectory(entry.mode)) this.#addBase(join, subtrees)
        join.isDone = !cursor.next()
      }
      if (!isCovered && !isGitlink(entry.mode)) this.#select(entry, { bases: subtrees, place }, open)
    }
  }

  #join(base: Ordinal): Join {
    const cursor = this.#cursor(base)
    return { cursor, isDone: !cursor.next(), isKnown: this.#known[base] === 1 }
  }

  #select(entry: TreeCursor, { bases, place }: Omit<OpenTree, 'tree'>, open: OpenTree[]): void {
    const isTree = isDirectory(entry.mode)
    if (!isTree && !this.#hasBlobs) return
    const ordinal = this.#objects.locate(entry.data, entry.idAt)
    if (ordinal < 0) {
      const id = objectIdAt(entry.data, entry.idAt)
      throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
    }
    if (this.#known[ordinal]) return
    if (place !== undefined && !this.#hasPlace(entry, place, isTree)) return
    const below = place && isTree ? this.#placed?.below(place, nameOf(entry)) : undefined
    if (isTree && this.#mustOpen(ordinal, below)) open.push({ tree: ordinal, bases, place: below })
    this.#selected[ordinal] = isTree ? marks.tree : marks.blob
  }

  #hasPlace(entry: TreeCursor, place: TreePlace, isTree: boolean): boolean | undefined {
    return isTree ? this.#placed?.hasTree(place) : this.#placed?.hasBlob(place, nameOf(entry))
  }

  #mustOpen(tree: Ordinal, place: TreePlace | undefined): boolean {
    if (place === undefined) return this.#selected[tree] === marks.none
    return this.#placed?.mustOpen(tree, place) ?? false
  }

  /** Skips entries that stand before `entry`. Where the client has them, they may be bases of thin deltas (renames). */
  #passOver(join: Join, entry: TreeCursor): void {
    while (!join.isDone && compareEntries(join.cursor, entry) < 0) {
      if (join.isKnown) this.#addBase(join, [])
      join.isDone = !join.cursor.next()
    }
  }

  #addBase({ cursor, isKnown }: Join, subtrees: Ordinal[]): void {
    if (isGitlink(cursor.mode)) return
    const ordinal = this.#objects.locate(cursor.data, cursor.idAt)
    if (ordinal < 0) return
    if (isKnown) this.#known[ordinal] = 1
    if (isDirectory(cursor.mode)) subtrees.push(ordinal)
  }

  #cursor(tree: Ordinal): TreeCursor {
    const { type, data } = this.#objects.read(tree)
    if (type === 'tree') return new TreeCursor(data)
    throw new HoldfastError('ObjectInvalid', { message: `${this.#objects.idOf(tree)} is not a tree.` })
  }
}

function nameOf({ data, nameAt, nameEnd }: TreeCursor): string {
  return Buffer.from(data.buffer, data.byteOffset + nameAt, nameEnd - nameAt).toString('latin1')
}
