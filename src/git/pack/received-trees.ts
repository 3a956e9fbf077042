/**
 * The trees of a pack that is being received: checked, and what they name noted. Of a tree that a delta made of a sound one
 * of the same pack only the new entries are looked at; in doubt, all of them.
 */
import { isHoldfastError } from '../../errors.ts'
import type { ObjectChecker } from '../fsck/check-objects.ts'
import { EntryPlaces } from '../fsck/entry-places.ts'
import type { ObjectId } from '../object-id.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'
import { typeCodes } from './format.ts'
import { RevisedTree } from './revised-tree.ts'

/** How a tree was made. */
export interface TreeOrigin {
  delta: Uint8Array
  /** What `accept` or `startsOf` said of the base. */
  baseStarts: Uint32Array
}

export interface ReceivedTreesOptions {
  /** None: trees must be such as the engine can read. */
  checker: ObjectChecker | undefined
  /** Notes that a tree names the id at `bytes[at]` as one of that type. */
  refer(bytes: Uint8Array, at: number, typeCode: number): void
}

export class ReceivedTrees {
  readonly #options: ReceivedTreesOptions
  readonly #revised = new RevisedTree()
  readonly #places = new EntryPlaces()
  readonly #cursor = new TreeCursor(new Uint8Array(0))

  constructor(options: ReceivedTreesOptions) {
    this.#options = options
  }

  /**
   * Takes a tree. Returns where its entries begin and the last one ends, valid until the next call; undefined where there is
   * something to be said of it, so that trees made of it must be looked at whole. Throws ObjectInvalid.
   */
  accept(data: Buffer, idOf: () => ObjectId, origin?: TreeOrigin): Uint32Array | undefined {
    const isSound = (origin !== undefined && this.#isSoundRevision(data, origin)) || this.#checkWhole(data, idOf)
    this.#cursor.reset(data)
    for (const entry of this.#revised.newEntries) this.#refer(data, entry)
    return isSound ? this.#revised.starts.subarray(0, this.#revised.count + 1) : undefined
  }

  /** What `accept` returned of a tree that it has taken. */
  startsOf(data: Buffer): Uint32Array | undefined {
    const { checker } = this.#options
    if (checker !== undefined && !checker.isSoundTree(data)) return undefined
    this.#revised.readWhole(data)
    return this.#revised.starts.subarray(0, this.#revised.count + 1)
  }

  #checkWhole(data: Buffer, idOf: () => ObjectId): boolean {
    const isSound = this.#options.checker?.checkTree(data, idOf) ?? true
    this.#revised.readWhole(data)
    return isSound
  }

  #isSoundRevision(data: Buffer, { delta, baseStarts }: TreeOrigin): boolean {
    try {
      this.#revised.readDelta(data, delta, baseStarts)
    } catch (error) {
      if (isHoldfastError(error, 'ObjectInvalid')) return false
      throw error
    }
    const { checker } = this.#options
    if (checker === undefined) return true
    const { newEntries, seams, starts, count } = this.#revised
    this.#cursor.reset(data)
    for (const entry of newEntries) {
      this.#cursor.seek(starts[entry])
      this.#cursor.next()
      if (!checker.isSoundEntry(data, this.#cursor)) return false
    }
    const places = this.#places
    places.reset(data, starts, count)
    return seams.every((entry) => places.isInOrder(entry)) && !newEntries.some((entry) => places.hasTwin(entry))
  }

  #refer(data: Buffer, entry: number): void {
    const cursor = this.#cursor
    cursor.seek(this.#revised.starts[entry])
    cursor.next()
    if (isGitlink(cursor.mode)) return
    this.#options.refer(data, cursor.idAt, isDirectory(cursor.mode) ? typeCodes.tree : typeCodes.blob)
  }
}
