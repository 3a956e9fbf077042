/**
 * The commits that a walk meets, each read once and kept as numbers: parents, root tree and committer date. Only the
 * headers that a walk needs are read; whole commits are parsed in `commit.ts`.
 */
import { HoldfastError } from '../../errors.ts'
import { commitIds, committerSeconds } from '../commit.ts'
import { idBytes, objectIdAt, readHexId } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'

const none: readonly Ordinal[] = []
const objectKeyword = 'object '
const scratch = Buffer.alloc(idBytes)

export class CommitGraph {
  readonly objects: ObjectDatabase
  /** Slot + 1 by ordinal; 0 where the commit has not been read. */
  readonly #slots: Int32Array
  readonly #parents: (readonly Ordinal[])[] = []
  readonly #trees: Ordinal[] = []
  readonly #dates: number[] = []
  readonly #cuts = new Set<Ordinal>()

  constructor(objects: ObjectDatabase) {
    this.objects = objects
    this.#slots = new Int32Array(objects.ordinalCount)
  }

  /** From now on these commits have no parents, as in a shallow clone that ends in them. */
  cut(commits: Iterable<Ordinal>): void {
    for (const commit of commits) this.#cuts.add(commit)
  }

  /** Parents as the client sees them: none where the history is cut. */
  parentsOf(commit: Ordinal): readonly Ordinal[] {
    return this.#cuts.size > 0 && this.#cuts.has(commit) ? none : this.#parents[this.#slotOf(commit)]
  }

  /** Parents as the commit names them. */
  trueParentsOf(commit: Ordinal): readonly Ordinal[] {
    return this.#parents[this.#slotOf(commit)]
  }

  treeOf(commit: Ordinal): Ordinal {
    return this.#trees[this.#slotOf(commit)]
  }

  /** Committer date in seconds since 1970; 0 where it cannot be read, as in git. */
  dateOf(commit: Ordinal): number {
    return this.#dates[this.#slotOf(commit)]
  }

  #slotOf(commit: Ordinal): number {
    const slot = this.#slots[commit] - 1
    return slot >= 0 ? slot : this.#load(commit)
  }

  #load(commit: Ordinal): number {
    const { type, data } = this.objects.read(commit)
    if (type !== 'commit') {
      throw new HoldfastError('ObjectInvalid', { message: `${this.objects.idOf(commit)} is not a commit.` })
    }
    const ids = commitIds(data)
    this.#trees.push(locate(this.objects, ids, 0))
    const parents: Ordinal[] = []
    for (let at = idBytes; at < ids.length; at += idBytes) parents.push(locate(this.objects, ids, at))
    this.#dates.push(committerSeconds(data))
    this.#slots[commit] = this.#parents.push(parents)
    return this.#parents.length - 1
  }
}

/** Follows tags to what they finally name, telling every tag on the way. Throws ObjectMissing, ObjectInvalid. */
export function peel(objects: ObjectDatabase, ordinal: Ordinal, onTag?: (tag: Ordinal) => void): Ordinal {
  let target = ordinal
  while (objects.stat(target).type === 'tag') {
    onTag?.(target)
    target = tagTarget(objects, objects.read(target).data)
  }
  return target
}

/** What a tag names, by the 40 hex digits in its first line. Throws ObjectMissing, ObjectInvalid. */
function tagTarget(objects: ObjectDatabase, data: Buffer): Ordinal {
  const isTag = data.toString('latin1', 0, objectKeyword.length) === objectKeyword
  if (!isTag || !readHexId(data, objectKeyword.length, scratch, 0)) {
    throw new HoldfastError('ObjectInvalid', { message: 'A tag names no object.' })
  }
  return locate(objects, scratch, 0)
}

function locate(objects: ObjectDatabase, ids: Buffer, at: number): Ordinal {
  const ordinal = objects.locate(ids, at)
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${objectIdAt(ids, at)} is missing.` })
  return ordinal
}
