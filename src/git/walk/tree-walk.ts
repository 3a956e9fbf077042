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
import { TreeCursor } from './tree-cursor.ts'

// More bases seldom cover more, and each costs a pass over its entries.
const basesMax = 8

interface OpenTree {
  tree: Ordinal
  bases: readonly Ordinal[]
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
    const joins = bases.map((base) => ({ cursor: this.#cursor(base), isKnown: this.#known[base] === 1 }))
    for (const entry = this.#cursor(tree); !entry.isDone; entry.next()) {
      const subtrees: Ordinal[] = []
      let isCovered = false
      for (const { cursor, isKnown } of joins) {
        this.#passOver(cursor, isKnown, entry)
        if (cursor.isDone || cursor.compare(entry) !== 0) continue
        if (cursor.hasIdOf(entry)) isCovered = true
        else if (isKnown || entry.isTree) this.#addBase(cursor, isKnown, subtrees)
        cursor.next()
      }
      if (!isCovered && !entry.isGitlink) this.#select(entry, subtrees, open)
    }
  }

  #select(entry: TreeCursor, bases: readonly Ordinal[], open: OpenTree[]): void {
    const ordinal = this.#objects.locate(entry.data, entry.idAt)
    if (ordinal < 0) {
      const id = objectIdAt(entry.data, entry.idAt)
      throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
    }
    if (this.#selected[ordinal] || this.#known[ordinal]) return
    this.#selected[ordinal] = 1
    if (entry.isTree) open.push({ tree: ordinal, bases })
  }

  /** Skips entries that stand before `entry`. Where the client has them, they may be bases of thin deltas (renames). */
  #passOver(cursor: TreeCursor, isKnown: boolean, entry: TreeCursor): void {
    for (; !cursor.isDone && cursor.compare(entry) < 0; cursor.next()) {
      if (isKnown) this.#addBase(cursor, true, [])
    }
  }

  #addBase(cursor: TreeCursor, isKnown: boolean, subtrees: Ordinal[]): void {
    if (cursor.isGitlink) return
    const ordinal = this.#objects.locate(cursor.data, cursor.idAt)
    if (ordinal < 0) return
    if (isKnown) this.#known[ordinal] = 1
    if (cursor.isTree) subtrees.push(ordinal)
  }

  #cursor(tree: Ordinal): TreeCursor {
    const { type, data } = this.#objects.read(tree)
    if (type === 'tree') return new TreeCursor(data)
    throw new HoldfastError('ObjectInvalid', { message: `${this.#objects.idOf(tree)} is not a tree.` })
  }
}
