/**
 * The ports on which the engine stands: an object database and a set of refs, whoever keeps them (packs in the bucket
 * and refs in PostgreSQL, or a bare repository on disk).
 *
 * Reads are synchronous. Whoever opens an object database first brings its packs and indexes to local files, so that a
 * read is a `pread` from the page cache (about 2 µs; an asynchronous read costs 30 µs and more, and a walk does
 * hundreds of thousands). Long loops give the event loop back by `git/fair-loop.ts`.
 */
import { type ObjectId, objectIdBytes } from './object-id.ts'
import type { RefList } from './ref-list.ts'

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

export interface GitObject {
  type: ObjectType
  data: Buffer
}

/**
 * A dense number for an object within one opened ObjectDatabase: it indexes bitmaps and arrays, so that walks hold no
 * strings. One object has one ordinal even where several packs hold it.
 */
export type Ordinal = number

/**
 * How an object is stored in a pack, so that its compressed bytes can be copied verbatim into an outgoing pack. One is
 * filled again and again, so that loops allocate none.
 */
export interface StoredEntry {
  /** Which pack; numbered so that a delta's base never lies in a pack of a higher number. */
  pack: number
  /** Of the entry's first header byte. */
  offset: number
  /** Of the first byte after the entry. */
  end: number
  /** The base where the entry is a delta, otherwise -1. */
  base: Ordinal
  /** How far before the entry its base begins, where it is an OFS_DELTA; otherwise 0. */
  ofsDistance: number
}

/** How many objects of a pack lie up to the end of a section, and the offset of that end. */
export interface PackSection {
  objectCount: number
  end: number
  /** The SHA-1 that ends a pack which is cut here, 20 bytes; undefined where nobody has worked it out. */
  checksum?: Buffer
}

/** The ends of a pack's sections: commits and tags, then trees, then blobs. */
export interface PackSections {
  history: PackSection
  trees: PackSection
  blobs: PackSection
}

/**
 * A stored pack that holds exactly what its tips lead to, in sections. A clone is this pack as it lies; without blobs, or
 * without trees, a prefix of it. Its objects have the lowest ordinals, from 0 up to their count.
 */
export interface ClonePack {
  /** Names the pack to whoever hosts the repository. */
  readonly id: string
  /** The ids of the tips, 20 bytes each. */
  readonly tipIds: Buffer
  readonly sections: PackSections
  /** The SHA-1 at its end, 20 bytes. */
  readonly checksum: Buffer
  readonly sizeBytes: number
  /** Where in the pack the object begins; -1 where it is not in it. */
  offsetOf(ordinal: Ordinal): number
  /** Fills the views one after another with what begins at `position`, off the event loop; may wait until `signal` fires. */
  read(views: readonly Uint8Array[], position: number, signal?: AbortSignal): Promise<void>
}

/** What stands in a stored delta's header. */
export interface StoredDelta {
  /** Of the first compressed byte, behind header and base reference. */
  dataOffset: number
  /** Of the delta's instructions. */
  sizeBytes: number
}

/** What walks ask of a commit; filled again and again as well. */
export interface CommitRow {
  tree: Ordinal
  /** Committer date in seconds since 1970; 0 where it cannot be read, as in git. */
  dateSeconds: number
  /** Corrected commit date (pack/generations.ts): greater than any ancestor's. 0 where it is not known. */
  generation: number
  parentCount: number
  /** The first `parentCount` are the commit's parents. */
  parents: Ordinal[]
}

/** A row for `readCommitRow` to fill. */
export function emptyCommitRow(): CommitRow {
  return { tree: -1, dateSeconds: 0, generation: 0, parentCount: 0, parents: [] }
}

export interface ObjectDatabase {
  /** The ordinal of the object whose 20-byte id stands at `bytes[offset]`; -1 when the object is absent. */
  locate(bytes: Uint8Array, offset?: number): Ordinal
  /** One more than the greatest ordinal. */
  readonly ordinalCount: number
  idOf(ordinal: Ordinal): ObjectId
  /** Writes the 20 bytes of the object's id into `into` at `offset`. */
  copyId(ordinal: Ordinal, into: Uint8Array, offset: number): void
  typeOf(ordinal: Ordinal): ObjectType
  /** Type and inflated size, without inflating more than a delta's first bytes. */
  stat(ordinal: Ordinal): { type: ObjectType; sizeBytes: number }
  /** The whole object. Throws ObjectInvalid above `gitObjectHeldMaxBytes` for a blob: use `stream`. */
  read(ordinal: Ordinal): GitObject
  /** The object's content in pieces; a blob of any size. */
  stream(ordinal: Ordinal): AsyncIterable<Uint8Array>
  /**
   * Fills `row` from what was noted when the commit came in; false where nothing was: then the commit must be read.
   * Throws ObjectMissing where a parent or the tree is gone.
   */
  readCommitRow(ordinal: Ordinal, row: CommitRow): boolean
  /**
   * Visits the trees and blobs that the commit's tree holds and its parents' trees do not, at the paths that it changed.
   * False, and visits nothing, where that was not noted.
   */
  visitIntroduced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean
  /** Visits what the parents' trees hold at those paths, as far as it is there; false as above. */
  visitReplaced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean
  /** True where it was noted that `ancestor` is one of the commit, or the same; a no says nothing. */
  leadsTo(commit: Ordinal, ancestor: Ordinal): boolean
  /** A commit, the earliest that is known, that introduced the tree or blob; -1 where none is known. */
  introducerOf(ordinal: Ordinal): Ordinal
  /** Fills `entry`; false where the object is not in a pack (loose objects of `bare/`). */
  readStored(ordinal: Ordinal, entry: StoredEntry): boolean
  /** The header of a stored delta. */
  storedDelta(ordinal: Ordinal): StoredDelta
  /** Copies `length` bytes of pack number `pack`, from `position`, into `into`. */
  copyStored(pack: number, position: number, into: Uint8Array, offset: number, length: number): void
  /** The same ordinals in the order in which they lie: by pack number, then offset; those outside packs come last. */
  inStoredOrder(ordinals: Uint32Array): Uint32Array
  /** The pack to clone from; undefined where there is none. */
  readonly clonePack: ClonePack | undefined
  /** All ids that begin with the hex digits of `prefix` (at least 4), at most `max` of them. */
  expand(prefix: string, max: number): ObjectId[]
}

/** The ordinal of an id in text; -1 when the object is absent. */
export function locateId(objects: ObjectDatabase, id: ObjectId): Ordinal {
  return objects.locate(objectIdBytes(id))
}

export interface Ref {
  /** Full name, as bytes in latin1, so that names that are not UTF-8 round-trip and sort bytewise. */
  name: string
  id: ObjectId
  /** What an annotated tag finally points to. */
  peeledId: ObjectId | undefined
}

/** What HEAD and the refs were at one moment. `refs` are in byte order of their names and do not include HEAD. */
export interface RefSnapshot {
  /** The ref HEAD points to (it may not exist yet); undefined where HEAD is detached. */
  headTarget: string | undefined
  /** The commit HEAD stands for; undefined while its ref does not exist. */
  headId: ObjectId | undefined
  refs: RefList
}

/** One line of a push: create (no oldId), delete (no newId) or update. The parser takes `nullId` for none. */
export interface RefCommand {
  name: string
  oldId: ObjectId | undefined
  newId: ObjectId | undefined
}

/** The fate of one command: `reason` is undefined for ok, otherwise the text behind `ng <ref>`. */
export interface RefResult {
  name: string
  reason: string | undefined
  /** What was done where it is not what was asked for (report-status-v2); what is left out is as asked. */
  done?: { name?: string; oldId?: ObjectId; newId?: ObjectId; isForced?: boolean }
}
