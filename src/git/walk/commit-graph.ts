/**
 * The commits that walks meet, each looked up once and kept as numbers in flat arrays: parents, root tree, committer
 * date, generation. Only what a walk needs; whole commits are parsed in `commit.ts`.
 */
import { HoldfastError } from '../../errors.ts'
import { commitIds, committerSeconds } from '../commit.ts'
import { idBytes, objectIdAt, readHexId } from '../object-id.ts'
import { type CommitRow, emptyCommitRow, type ObjectDatabase, type Ordinal } from '../repository.ts'
import { OrdinalNumbers } from './ordinal-numbers.ts'

const objectKeyword = 'object '
const scratch = Buffer.alloc(idBytes)

/** Commits never change: what one request has looked up serves all that read the same opened database. */
const tables = new WeakMap<ObjectDatabase, CommitTable>()

export class CommitGraph {
  readonly objects: ObjectDatabase
  readonly #table: CommitTable
  readonly #cuts = new Set<Ordinal>()

  constructor(objects: ObjectDatabase) {
    this.objects = objects
    this.#table = tables.get(objects) ?? new CommitTable(objects)
    tables.set(objects, this.#table)
  }

  /** From now on these commits have no parents, as in a shallow clone that ends in them. */
  cut(commits: Iterable<Ordinal>): void {
    for (const commit of commits) this.#cuts.add(commit)
  }

  get hasCuts(): boolean {
    return this.#cuts.size > 0
  }

  /** True where the history is cut at this commit, whether or not it has parents. */
  isCut(commit: Ordinal): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(commit)
  }

  /** How many parents the commit has as the client sees it: none where the history is cut. */
  parentCountOf(commit: Ordinal): number {
    return this.isCut(commit) ? 0 : this.#table.parentCountOf(commit)
  }

  /** How many parents it names. */
  trueParentCountOf(commit: Ordinal): number {
    return this.#table.parentCountOf(commit)
  }

  /** The parent number `index`, from 0. */
  parentOf(commit: Ordinal, index: number): Ordinal {
    return this.#table.parentOf(commit, index)
  }

  /** Parents as the client sees them: none where the history is cut. */
  parentsOf(commit: Ordinal): readonly Ordinal[] {
    return this.isCut(commit) ? [] : this.trueParentsOf(commit)
  }

  /** Parents as the commit names them. */
  trueParentsOf(commit: Ordinal): readonly Ordinal[] {
    const parents: Ordinal[] = []
    const count = this.#table.parentCountOf(commit)
    for (let index = 0; index < count; index++) parents.push(this.#table.parentOf(commit, index))
    return parents
  }

  treeOf(commit: Ordinal): Ordinal {
    return this.#table.treeOf(commit)
  }

  /** Committer date in seconds since 1970; 0 where it cannot be read, as in git. */
  dateOf(commit: Ordinal): number {
    return this.#table.dateOf(commit)
  }

  /** Corrected commit date: greater than any ancestor's. 0 where it is not known, which holds for all descendants then. */
  generationOf(commit: Ordinal): number {
    return this.#table.generationOf(commit)
  }

  /** By which commits are walked, greatest first: the generation, or the date where that is not known. */
  rankOf(commit: Ordinal): number {
    const generation = this.#table.generationOf(commit)
    return generation > 0 ? generation : this.#table.dateOf(commit)
  }
}

class CommitTable {
  readonly #objects: ObjectDatabase
  /** Slot + 1 by ordinal; 0 where the commit has not been looked up. */
  readonly #slots: OrdinalNumbers
  readonly #row = emptyCommitRow()
  #count = 0
  #trees = new Int32Array(64)
  #dates = new Float64Array(64)
  #generations = new Float64Array(64)
  #parentStarts = new Int32Array(65)
  #parents = new Int32Array(64)

  constructor(objects: ObjectDatabase) {
    this.#objects = objects
    this.#slots = new OrdinalNumbers(objects.ordinalCount)
  }

  parentCountOf(commit: Ordinal): number {
    const slot = this.#slotOf(commit)
    return this.#parentStarts[slot + 1] - this.#parentStarts[slot]
  }

  parentOf(commit: Ordinal, index: number): Ordinal {
    const slot = this.#slotOf(commit)
    return this.#parents[this.#parentStarts[slot] + index]
  }

  treeOf(commit: Ordinal): Ordinal {
    const slot = this.#slotOf(commit)
    return this.#trees[slot]
  }

  dateOf(commit: Ordinal): number {
    const slot = this.#slotOf(commit)
    return this.#dates[slot]
  }

  generationOf(commit: Ordinal): number {
    const slot = this.#slotOf(commit)
    return this.#generations[slot]
  }

  /** Looks the commit up first, which may replace the tables. */
  #slotOf(commit: Ordinal): number {
    const slot = this.#slots.get(commit) - 1
    return slot >= 0 ? slot : this.#load(commit)
  }

  #load(commit: Ordinal): number {
    const row = this.#row
    if (!this.#objects.readCommitRow(commit, row)) readCommit(this.#objects, commit, row)
    const slot = this.#count
    if (slot === this.#trees.length) this.#growSlots()
    const start = this.#parentStarts[slot]
    const end = start + row.parentCount
    if (end > this.#parents.length) this.#parents = grown(this.#parents, Math.max(end, this.#parents.length * 2))
    for (let index = 0; index < row.parentCount; index++) this.#parents[start + index] = row.parents[index]
    this.#parentStarts[slot + 1] = end
    this.#trees[slot] = row.tree
    this.#dates[slot] = row.dateSeconds
    this.#generations[slot] = row.generation
    this.#count++
    this.#slots.set(commit, this.#count)
    return slot
  }

  #growSlots(): void {
    const length = this.#trees.length * 2
    this.#trees = grown(this.#trees, length)
    this.#dates = grown(this.#dates, length)
    this.#generations = grown(this.#generations, length)
    this.#parentStarts = grown(this.#parentStarts, length + 1)
  }
}

function grown<Table extends Int32Array | Float64Array>(table: Table, length: number): Table {
  const larger = new (table.constructor as new (length: number) => Table)(length)
  larger.set(table)
  return larger
}

/** Reads and inflates the commit, for want of a note of it. */
function readCommit(objects: ObjectDatabase, commit: Ordinal, row: CommitRow): void {
  const { type, data } = objects.read(commit)
  if (type !== 'commit') {
    throw new HoldfastError('ObjectInvalid', { message: `${objects.idOf(commit)} is not a commit.` })
  }
  const ids = commitIds(data)
  row.tree = locate(objects, ids, 0)
  row.dateSeconds = committerSeconds(data)
  row.generation = 0
  row.parentCount = ids.length / idBytes - 1
  for (let index = 0; index < row.parentCount; index++) row.parents[index] = locate(objects, ids, (index + 1) * idBytes)
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
