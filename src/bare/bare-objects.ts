/** A bare repository's objects on disk, its alternates' included: packs first, then what is loose, as one database. */
import { HoldfastError } from '../errors.ts'
import { commitIds, committerSeconds } from '../git/commit.ts'
import { idBytes, type ObjectId, objectIdAt, objectIdBytes } from '../git/object-id.ts'
import { compareIds } from '../git/pack/id-order.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import {
  type CommitRow,
  type GitObject,
  locateId,
  type ObjectDatabase,
  type ObjectType,
  type Ordinal,
  type StoredDelta,
  type StoredEntry,
} from '../git/repository.ts'
import {
  type LooseObject,
  listLooseObjects,
  readLooseObject,
  statLooseObject,
  streamLooseObject,
} from './loose-objects.ts'
import { type OpenPacks, openPacks, withAlternates } from './object-folders.ts'

// What Node can hold in one buffer: a local command may take the memory that a server may not.
const packSetLimits = { objectHeldMaxBytes: 2 ** 31 }

export interface OpenObjectsOptions {
  /** Commits at which the history is cut off. */
  shallowIds: readonly ObjectId[]
  /** Every pack's index is read through first. */
  isVerified?: boolean
}

interface Contents {
  folders: readonly string[]
  /** What `close` closes. */
  opened: OpenPacks[]
  packs: PackSet
  loose: LooseObject[]
  shallowIds: readonly ObjectId[]
}

/** What lay there when it was opened; `close` gives the packs' descriptors back. */
export class BareObjects implements ObjectDatabase {
  readonly ordinalCount: number
  /** Whoever repacks such a repository says nothing of what a pack holds. */
  readonly clonePack = undefined
  readonly #contents: Contents
  readonly #opened: OpenPacks[]
  readonly #packs: PackSet
  readonly #loose: LooseObject[]
  readonly #looseIds: Buffer
  /** Commits at which the history is cut off: their parents need not be there. */
  readonly #ends: ReadonlySet<Ordinal>
  /** What a gc that ran meanwhile has packed. */
  #late: PackSet | undefined

  private constructor(contents: Contents) {
    const { opened, packs, loose, shallowIds } = contents
    this.#opened = opened
    this.#packs = packs
    const byId = new Map(loose.map((object) => [object.id, object]))
    this.#loose = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#looseIds = Buffer.from(this.#loose.map(({ id }) => id).join(''), 'hex')
    this.ordinalCount = this.#packs.ordinalCount + this.#loose.length
    this.#ends = new Set(shallowIds.map((id) => locateId(this, id)))
    this.#contents = { ...contents, opened: [], loose: this.#loose }
  }

  /** Opens what lies in the folder and its alternates. Throws PackInvalid for a damaged index, ObjectMissing. */
  static open(objectsPath: string, { shallowIds, isVerified }: OpenObjectsOptions): BareObjects {
    const folders = withAlternates(objectsPath)
    // Loose objects first: a gc writes its pack before it deletes them, so that none is missed between the two.
    const loose = folders.flatMap(listLooseObjects)
    const opened = openPacks(folders, isVerified)
    const packs = new PackSet(opened.files, packSetLimits)
    return new BareObjects({ folders, opened: [opened], packs, loose, shallowIds })
  }

  /** These objects and those in `folder`. Usable while this is open; its `close` closes only what it adds. */
  with(folder: string): BareObjects {
    const opened = openPacks([folder])
    const packs = new PackSet([...this.#packs.packs, ...opened.files], packSetLimits)
    const loose = [...listLooseObjects(folder), ...this.#loose]
    return new BareObjects({ ...this.#contents, opened: [opened], packs, loose })
  }

  /** What lies in the same folders now. */
  reopen(): BareObjects {
    return BareObjects.open(this.#contents.folders[0], { shallowIds: this.#contents.shallowIds })
  }

  /** The same objects, the history being cut off at these commits as well. Usable while this is open. */
  cutAt(ids: readonly ObjectId[]): BareObjects {
    return new BareObjects({ ...this.#contents, shallowIds: [...this.#contents.shallowIds, ...ids] })
  }

  close(): void {
    for (const opened of this.#opened.splice(0)) opened.close()
  }

  locate(bytes: Uint8Array, offset = 0): Ordinal {
    const packed = this.#packs.locate(bytes, offset)
    if (packed >= 0) return packed
    const at = this.#lowerBound(bytes, offset)
    const isFound = at < this.#loose.length && compareIds(this.#looseIds, at * idBytes, bytes, offset) === 0
    return isFound ? this.#packs.ordinalCount + at : -1
  }

  idOf(ordinal: Ordinal): ObjectId {
    const at = this.#looseAt(ordinal)
    return at < 0 ? this.#packs.idOf(ordinal) : objectIdAt(this.#looseIds, at * idBytes)
  }

  copyId(ordinal: Ordinal, into: Uint8Array, offset: number): void {
    const at = this.#looseAt(ordinal)
    if (at < 0) this.#packs.copyId(ordinal, into, offset)
    else into.set(this.#looseIds.subarray(at * idBytes, (at + 1) * idBytes), offset)
  }

  typeOf(ordinal: Ordinal): ObjectType {
    return this.#looseAt(ordinal) < 0 ? this.#packs.typeOf(ordinal) : this.stat(ordinal).type
  }

  stat(ordinal: Ordinal): { type: ObjectType; sizeBytes: number } {
    const at = this.#looseAt(ordinal)
    if (at < 0) return this.#packs.stat(ordinal)
    return this.#readLoose(this.#loose[at], statLooseObject, (packs, packed) => packs.stat(packed))
  }

  read(ordinal: Ordinal): GitObject {
    const at = this.#looseAt(ordinal)
    if (at < 0) return this.#packs.read(ordinal)
    return this.#readLoose(this.#loose[at], readLooseObject, (packs, packed) => packs.read(packed))
  }

  stream(ordinal: Ordinal): AsyncIterable<Uint8Array> {
    const at = this.#looseAt(ordinal)
    if (at < 0) return this.#packs.stream(ordinal)
    return this.#readLoose(this.#loose[at], streamLooseObject, (packs, packed) => packs.stream(packed))
  }

  readCommitRow(ordinal: Ordinal, row: CommitRow): boolean {
    if (!this.#ends.has(ordinal)) return this.#looseAt(ordinal) < 0 && this.#packs.readCommitRow(ordinal, row)
    const { data } = this.read(ordinal)
    row.tree = this.locate(commitIds(data))
    row.dateSeconds = committerSeconds(data)
    row.generation = 0
    row.parentCount = 0
    return row.tree >= 0
  }

  visitIntroduced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean {
    return this.#looseAt(commit) < 0 && this.#packs.visitIntroduced(commit, visit)
  }

  visitReplaced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean {
    return this.#looseAt(commit) < 0 && this.#packs.visitReplaced(commit, visit)
  }

  leadsTo(commit: Ordinal, ancestor: Ordinal): boolean {
    return this.#looseAt(commit) < 0 && this.#packs.leadsTo(commit, ancestor)
  }

  introducerOf(ordinal: Ordinal): Ordinal {
    return this.#looseAt(ordinal) < 0 ? this.#packs.introducerOf(ordinal) : -1
  }

  readStored(ordinal: Ordinal, entry: StoredEntry): boolean {
    return this.#looseAt(ordinal) < 0 && this.#packs.readStored(ordinal, entry)
  }

  storedDelta(ordinal: Ordinal): StoredDelta {
    return this.#packs.storedDelta(ordinal)
  }

  copyStored(pack: number, position: number, into: Uint8Array, offset: number, length: number): void {
    this.#packs.copyStored(pack, position, into, offset, length)
  }

  inStoredOrder(ordinals: Uint32Array): Uint32Array {
    const packed = ordinals.filter((ordinal) => this.#looseAt(ordinal) < 0)
    const ordered = new Uint32Array(ordinals.length)
    ordered.set(this.#packs.inStoredOrder(packed))
    ordered.set(
      ordinals.filter((ordinal) => this.#looseAt(ordinal) >= 0),
      packed.length,
    )
    return ordered
  }

  expand(prefix: string, max: number): ObjectId[] {
    const found = new Set(this.#packs.expand(prefix, max))
    for (let at = this.#lowerBound(Buffer.from(prefix.padEnd(2 * idBytes, '0'), 'hex'), 0); found.size < max; at++) {
      if (at >= this.#loose.length || !this.#loose[at].id.startsWith(prefix)) break
      found.add(this.#loose[at].id as ObjectId)
    }
    return [...found]
  }

  /** The place among the loose objects; -1 for a packed one. */
  #looseAt(ordinal: Ordinal): number {
    return ordinal < this.#packs.ordinalCount ? -1 : ordinal - this.#packs.ordinalCount
  }

  #lowerBound(bytes: Uint8Array, offset: number): number {
    let low = 0
    let high = this.#loose.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareIds(this.#looseIds, middle * idBytes, bytes, offset) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Reads a loose object, or what became of it: a gc may have packed and deleted it since it was listed. */
  #readLoose<T>(
    loose: LooseObject,
    read: (loose: LooseObject) => T,
    readPacked: (packs: PackSet, at: Ordinal) => T,
  ): T {
    try {
      return read(loose)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      const packs = this.#latePacks()
      const at = packs.locate(objectIdBytes(loose.id as ObjectId))
      if (at < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${loose.id} is missing.` })
      return readPacked(packs, at)
    }
  }

  #latePacks(): PackSet {
    if (this.#late === undefined) {
      const opened = openPacks(this.#contents.folders)
      this.#opened.push(opened)
      this.#late = new PackSet(opened.files, packSetLimits)
    }
    return this.#late
  }
}
