/**
 * Selects what a tree holds beyond trees that are already covered (sent before, or held by the client): by a merge-join
 * with them, which opens only what differs. So the walk costs what changed, not what exists.
 *
 * It rests on an order: a tree may be used as base, and a selected tree may be skipped, only because everything below it
 * is covered by then. So commits are taken parents first, and each tree is finished before the next begins.
 */
import { HoldfastError } from '../../errors.ts'
import type { FairLoop } from '../fair-loop.ts'
import { objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'
import { compareEntries, haveSameId } from './tree-order.ts'

// More bases seldom cover more, and each costs a pass over its entries.
const basesMax = 8

interface OpenTree {
  tree: Ordinal
  bases: readonly Ordinal[]
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

  /** Sets `selected` for what is to be sent; reads and sets `known` for what the client has. Both are by ordinal. */
  constructor(objects: ObjectDatabase, marks: { selected: Uint8Array; known: Uint8Array }, pause: FairLoop) {
    this.#objects = objects
    this.#selected = marks.selected
    this.#known = marks.known
    this.#pause = pause
  }

  /** Selects `root` and what it holds beyond `bases`. Throws ObjectMissing, ObjectInvalid. */
  async walk(root: Ordinal, bases: readonly Ordinal[]): Promise<void> {
    if (this.#selected[root] || this.#known[root] || bases.includes(root)) return
    this.#selected[root] = 1
    const open: OpenTree[] = [{ tree: root, bases: bases.slice(0, basesMax) }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      this.#compare(next, open)
      if (this.#pause.due()) await this.#pause.now()
    }
  }

  #compare({ tree, bases }: OpenTree, open: OpenTree[]): void {
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
      if (!isCovered && !isGitlink(entry.mode)) this.#select(entry, subtrees, open)
    }
  }

  #join(base: Ordinal): Join {
    const cursor = this.#cursor(base)
    return { cursor, isDone: !cursor.next(), isKnown: this.#known[base] === 1 }
  }

  #select(entry: TreeCursor, bases: readonly Ordinal[], open: OpenTree[]): void {
    const ordinal = this.#objects.locate(entry.data, entry.idAt)
    if (ordinal < 0) {
      const id = objectIdAt(entry.data, entry.idAt)
      throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
    }
    if (this.#selected[ordinal] || this.#known[ordinal]) return
    this.#selected[ordinal] = 1
    if (isDirectory(entry.mode)) open.push({ tree: ordinal, bases })
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
