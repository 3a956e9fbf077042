/**
 * Takes a pack from the wire: one pass that spools, checks, inflates and hashes, then the deltas, then the index. What
 * comes out is a pack of which every byte and every object was checked on its own; whether the ids it refers to exist is
 * asked by the caller, with `outsideIds`. The counterpart in git is `index-pack --stdin --strict`.
 */
import type { Limits } from '../../config.ts'
import type { FsckFindings } from '../fsck/check-objects.ts'
import type { FsckSettings } from '../fsck/settings.ts'
import type { ByteStream } from '../object-id.ts'
import type { ObjectDatabase, PackSections } from '../repository.ts'
import { EntryTable } from './entry-table.ts'
import { sortIds } from './id-order.ts'
import { writePackIndex } from './index-format.ts'
import { PackInput, type PackSpool } from './pack-input.ts'
import { findSections } from './pack-sections.ts'
import { parseEntries } from './parse-entries.ts'
import { type ReportProgress, receivePace } from './receive-pace.ts'
import type { ReceivedObject } from './received-object.ts'
import { ReceivedObjects } from './received-objects.ts'
import { tabulateReceived } from './received-tables.ts'
import { resolveDeltas } from './resolve-deltas.ts'
import { formatSideCar } from './side-car.ts'
import { SpooledEntries } from './spooled-entries.ts'

/** Blobs larger than `gitObjectHeldMaxBytes` are taken whole, not as deltas; everything else must be held to be checked. */
export type ReceivePackLimits = Pick<
  Limits,
  'gitPackMaxBytes' | 'gitPackMaxObjects' | 'gitObjectHeldMaxBytes' | 'gitDeltaDepthMax'
>

export type { ReceivedObject } from './received-object.ts'

export interface ReceivePackFileOptions {
  spool: PackSpool
  /** What the repository has: bases of thin packs, and objects that come again. */
  existing: ObjectDatabase
  limits: ReceivePackLimits
  /** What becomes of malformed objects; undefined: taken, where the engine itself can read them. */
  fsck?: FsckSettings
  /** Called at most every 5 ms; the last call of a phase has `done` equal to `total`. */
  onProgress?: ReportProgress
  signal?: AbortSignal
  /** Sees every object once, whole ones in the order of the pack, then the deltas. What it throws ends the reception. */
  visit?: (object: ReceivedObject) => void
}

export interface ReceivedPack {
  /** The SHA-1 at the end of the pack, 20 bytes. */
  checksum: Buffer
  objectCount: number
  sizeBytes: number
  /** Some delta's base is not in the pack but in `existing`. */
  isThin: boolean
  /** The bytes of its `.idx`, version 2. */
  index: Buffer
  /** The bytes of its side-car, without what its commits changed. */
  sideCar: Buffer
  /** Ids that its objects refer to and that are not in it, sorted, 20 bytes each. Gitlinks are not among them. */
  outsideIds: Buffer
  /** Where its sections end; undefined where types are mixed. */
  sections: PackSections | undefined
  /** Ids of its objects that no other of them refers to, 20 bytes each; undefined where there are very many. */
  rootIds: Buffer | undefined
  /** What is to be told of its objects, and what of them is still to be checked. */
  findings: FsckFindings
}

/**
 * Reads `input` to its end, which must be the pack's. Throws HoldfastError PackInvalid for a damaged pack, naming the
 * offset; ObjectInvalid for malformed objects; InputTooLarge above a limit; the signal's reason when it fires; and
 * whatever the input or the spool throws. The spool is left to the caller in any case.
 */
export async function receivePackFile(input: ByteStream, options: ReceivePackFileOptions): Promise<ReceivedPack> {
  const { spool, existing, limits, fsck, onProgress, signal, visit } = options
  const pace = receivePace(onProgress, signal)
  const entries = new EntryTable()
  const objects = new ReceivedObjects(entries, { existing, fsck, visit })
  const packInput = new PackInput(input, spool, limits.gitPackMaxBytes, signal)
  const objectHeldMaxBytes = limits.gitObjectHeldMaxBytes
  try {
    await parseEntries({
      input: packInput,
      entries,
      objects,
      pace,
      objectsMax: limits.gitPackMaxObjects,
      objectHeldMaxBytes,
    })
    const endOffset = packInput.offset
    const checksum = await packInput.readTrailer()
    onProgress?.('receiving', entries.count, entries.count)
    const spooled = new SpooledEntries(spool.file, entries, endOffset)
    const outsideBases = await resolveDeltas({
      entries,
      spooled,
      objects,
      existing,
      pace,
      objectHeldMaxBytes,
      deltaDepthMax: limits.gitDeltaDepthMax,
    })
    if (entries.deltaCount > 0) onProgress?.('resolving', entries.deltaCount, entries.deltaCount)
    await compareStreamed(objects, spooled, existing)
    const { count: objectCount, ids, crcs, offsets } = entries
    const indexEntries = { objectCount, ids, crcs, offsets }
    const order = sortIds(indexEntries)
    // Before the tables are made: it refuses references of a wrong type.
    const outsideIds = objects.outsideIds()
    const tables = tabulateReceived({ entries, objects, order, outsideBases, existing })
    return {
      checksum,
      objectCount,
      sizeBytes: packInput.offset,
      isThin: outsideBases.length > 0,
      index: writePackIndex(indexEntries, checksum, order),
      sideCar: formatSideCar(tables, checksum),
      outsideIds,
      sections: findSections(entries, endOffset),
      rootIds: objects.rootIds(),
      findings: objects.findings,
    }
  } finally {
    await packInput.close()
  }
}

/** An id that is already there must stand for the same bytes, or the hash has been broken. */
async function compareStreamed(
  objects: ReceivedObjects,
  spooled: SpooledEntries,
  existing: ObjectDatabase,
): Promise<void> {
  for (const { entry, ordinal } of objects.uncompared) {
    let rest: Buffer = Buffer.alloc(0)
    const pieces = spooled.pieces(entry)
    let isSame = existing.stat(ordinal).type === 'blob'
    for await (const piece of existing.stream(ordinal)) {
      for (let at = 0; isSame && at < piece.length; ) {
        if (rest.length === 0) rest = pieces.next().value ?? rest
        const length = Math.min(rest.length, piece.length - at)
        isSame = length > 0 && rest.subarray(0, length).equals(piece.subarray(at, at + length))
        rest = rest.subarray(length)
        at += length
      }
      if (!isSame) break
    }
    if (!isSame || rest.length > 0 || pieces.next().done !== true) throw objects.collision(entry)
  }
}
