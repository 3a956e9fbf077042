/**
 * Writes a pack for a client or for compaction (gitformat-pack): stored entries are copied verbatim wherever the reader
 * will have the delta's base, so that nothing is inflated or searched for deltas on the way out.
 *
 * A delta goes out only against an object that is already written or that the reader has: so no cycle can arise, whatever
 * packs the entries come from.
 */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { fairLoop } from '../fair-loop.ts'
import { type ByteStream, idBytes } from '../object-id.ts'
import type { ClonePack, ObjectDatabase, Ordinal, StoredEntry } from '../repository.ts'
import { entryHeaderMaxBytes, typeCodes, writeEntryHeader, writeOfsDistance, writePackHeader } from './format.ts'
import { type EntryPiece, OutgoingChunk } from './outgoing-chunk.ts'

export interface WritePackOptions {
  /** The reader understands OFS_DELTA. */
  ofsDelta: boolean
  /** True for objects the reader holds, which may then be bases of deltas (a thin pack). Absent: self-contained. */
  isClientKnown?: (ordinal: Ordinal) => boolean
  /** Chains longer than this are cut by writing an object whole. */
  deltaDepthMax?: number
  /** The objects stand in the order in which they are to be written. Absent: as they are stored, which is read fastest. */
  keepOrder?: boolean
  /** Told how many objects have been written, now and then. */
  onProgress?: (written: number) => void
  signal?: AbortSignal
}

/** The pack of exactly these objects, in pieces of up to 256 KiB. Throws what reading a stored object throws. */
export async function* writePack(
  objects: ObjectDatabase,
  ordinals: Uint32Array,
  options: WritePackOptions,
): ByteStream & AsyncGenerator<Uint8Array> {
  const hash = createHash('sha1')
  const chunk = new OutgoingChunk()
  chunk.append(writePackHeader(ordinals.length))
  const ordered = options.keepOrder ? ordinals : objects.inStoredOrder(ordinals)
  for await (const bytes of writeEntries(objects, ordered, { ...options, chunk })) {
    hash.update(bytes)
    yield bytes
  }
  yield hash.digest()
}

export interface WriteEntriesOptions extends WritePackOptions {
  /** Gathers the entries behind what is in it already; its position is theirs in the outgoing pack. */
  chunk: OutgoingChunk
  /** Stands before these entries as it lies, up to the byte `end`. */
  behind?: { pack: ClonePack; end: number }
}

/** The entries of the objects in the order given, the middle part of a pack. */
export async function* writeEntries(
  objects: ObjectDatabase,
  ordinals: Uint32Array,
  { chunk, ...options }: WriteEntriesOptions,
): AsyncGenerator<Uint8Array> {
  const plan = new EntryPlan(objects, options)
  const pause = fairLoop(options.signal)
  let written = 0
  for (const ordinal of ordinals) {
    const piece = plan.next(ordinal, chunk.position)
    for (const bytes of chunk.fill(objects, piece)) {
      yield bytes
      options.signal?.throwIfAborted()
    }
    written++
    if (pause.due()) {
      options.onProgress?.(written)
      await pause.now()
    }
  }
  options.onProgress?.(written)
  yield* chunk.finish(objects)
}

/** Decides how each object is written, knowing what has been written before. */
class EntryPlan {
  readonly #objects: ObjectDatabase
  readonly #options: Omit<WriteEntriesOptions, 'chunk'>
  /** Where each written object's entry begins in the outgoing pack; 0 while it is not written (byte 0 is the header's). */
  readonly #writtenAt: Float64Array
  readonly #depths: Uint16Array | undefined
  readonly #header = Buffer.allocUnsafe(entryHeaderMaxBytes)
  readonly #stored: StoredEntry = { pack: 0, offset: 0, end: 0, base: -1, ofsDistance: 0 }

  constructor(objects: ObjectDatabase, options: Omit<WriteEntriesOptions, 'chunk'>) {
    this.#objects = objects
    this.#options = options
    this.#writtenAt = new Float64Array(objects.ordinalCount)
    this.#depths = options.deltaDepthMax === undefined ? undefined : new Uint16Array(objects.ordinalCount)
  }

  /** The piece for `ordinal`, whose entry will begin at `at` in the outgoing pack. */
  next(ordinal: Ordinal, at: number): EntryPiece {
    const stored = this.#stored
    this.#writtenAt[ordinal] = at
    if (!this.#objects.readStored(ordinal, stored)) return this.#whole(ordinal)
    const { pack, offset, end } = stored
    const verbatim = { header: undefined, fresh: undefined, stored: { pack, start: offset, end } }
    if (stored.base < 0) return verbatim
    if (!this.#canUseBase(ordinal, stored.base)) return this.#whole(ordinal)
    const distance = this.#ofsDistance(stored.base, at)
    if (distance !== 0 && distance === stored.ofsDistance) return verbatim
    const { dataOffset, sizeBytes } = this.#objects.storedDelta(ordinal)
    const header = this.#deltaHeader(stored.base, sizeBytes, distance)
    return { header, fresh: undefined, stored: { pack, start: dataOffset, end } }
  }

  /** True where the reader will have the base, and the chain stays short enough. */
  #canUseBase(ordinal: Ordinal, base: Ordinal): boolean {
    if (this.#placeOf(base) === 0 && !this.#options.isClientKnown?.(base)) return false
    if (this.#depths === undefined) return true
    const depth = this.#depths[base] + 1
    if (depth > (this.#options.deltaDepthMax ?? 0)) return false
    this.#depths[ordinal] = depth
    return true
  }

  /** Where in the outgoing pack the object begins; 0 where it is not written. */
  #placeOf(ordinal: Ordinal): number {
    const { behind } = this.#options
    if (this.#writtenAt[ordinal] !== 0 || behind === undefined) return this.#writtenAt[ordinal]
    const offset = behind.pack.offsetOf(ordinal)
    return offset < behind.end ? Math.max(offset, 0) : 0
  }

  /** How far before `at` the base was written; 0 where it must be named by id. */
  #ofsDistance(base: Ordinal, at: number): number {
    const baseAt = this.#placeOf(base)
    return baseAt !== 0 && this.#options.ofsDelta ? at - baseAt : 0
  }

  #deltaHeader(base: Ordinal, sizeBytes: number, distance: number): Buffer {
    const typeCode = distance === 0 ? typeCodes.refDelta : typeCodes.ofsDelta
    let length = writeEntryHeader(this.#header, 0, typeCode, sizeBytes)
    if (distance !== 0) {
      length = writeOfsDistance(this.#header, length, distance)
    } else {
      this.#objects.copyId(base, this.#header, length)
      length += idBytes
    }
    return this.#header.subarray(0, length)
  }

  #whole(ordinal: Ordinal): EntryPiece {
    const { type, data } = this.#objects.read(ordinal)
    const length = writeEntryHeader(this.#header, 0, typeCodes[type], data.length)
    return { header: this.#header.subarray(0, length), fresh: deflateSync(data), stored: undefined }
  }
}
