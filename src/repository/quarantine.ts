/**
 * A received pack on its way in: checked out of sight in the spool, then brought to the bucket, then made visible by a
 * row in the push's transaction (bytes first, rows second). A crash anywhere before leaves invisible bytes, which the
 * sweep of orphans finds. A small pack's bytes ride in the transaction themselves.
 */
import type { NewPack, PackRow } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import type { FsckFindings } from '../git/fsck/check-objects.ts'
import { completeFindings } from '../git/fsck/complete-findings.ts'
import { type ByteStream, idBytes, type ObjectId, objectIdAt } from '../git/object-id.ts'
import type { NotedBlobs } from '../git/pack/noted-blobs.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { SideCar } from '../git/pack/side-car.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import { isCompactionDue } from './compaction-plan.ts'
import type { Ground } from './ground.ts'
import { incomingPack } from './incoming-pack.ts'
import type { PinnedPacks } from './opened-sets.ts'
import { inlinePackFile, type OpenedPack, packInMemory } from './pack-files.ts'
import { packSetLimits } from './pack-limits.ts'
import { type ReceiveOptions, type Reception, receivePack } from './receive.ts'

/** A pack that was received whole and undamaged, and that nobody else sees yet. */
export interface QuarantinedPack {
  readonly received: ReceivedPack
  /** What `toNote` asked for. */
  readonly noted: NotedBlobs
  /** What is to be told of its objects. */
  readonly findings: FsckFindings
  /** The repository's packs, with this one, are to be compacted. */
  readonly isCompactionDue: boolean
  /** The repository's objects and the new ones. Valid until `release`. */
  readonly objects: ObjectDatabase
  /** Ids that the pack's objects refer to and that exist nowhere: the push is incomplete if there are any. */
  missingIds(max: number): ObjectId[]
  /** What makes it visible, in the push's transaction. Only after `upload`. */
  readonly row: NewPack
  /** Brings pack and index to the bucket, durably; nothing to do for a small pack. */
  upload(signal?: AbortSignal): Promise<void>
  /** To be called after the transaction, with the versions that it told: this server then knows the pack already. */
  published(at: { packsVersion: string; packSequence: string }): void
  /** Deletes what `upload` brought, after a push that was refused. Never throws: the sweep of orphans is behind it. */
  discard(): Promise<void>
  /** Frees the spool and the pinned packs, whatever became of the push. */
  release(): void
}

export interface QuarantineOptions extends Omit<ReceiveOptions, 'spool' | 'existing'> {
  /** The packs that the pusher sees; the quarantine releases them. */
  existing: PinnedPacks
  /** Told of a small pack when it has become visible. */
  onArrival(packsVersion: number, arrived: { row: PackRow; pack: OpenedPack }): void
}

/** Receives `input` into quarantine. Throws PackInvalid and what reading the stream throws; then nothing is left. */
export async function receiveIntoQuarantine(
  ground: Ground,
  repoId: RepoId,
  input: ByteStream,
  options: QuarantineOptions,
): Promise<QuarantinedPack> {
  const { existing, onArrival, ...receiveOptions } = options
  const spool = ground.disk.createSpool()
  const release = () => {
    spool.close()
    existing.release()
  }
  try {
    const reception = await receivePack(ground, input, { ...receiveOptions, spool, existing })
    const quarantine = quarantined(ground, repoId, { ...reception, spool, existing, onArrival, release })
    if (options.fsck === undefined) return quarantine
    const { objects, findings } = quarantine
    const heldMaxBytes = packSetLimits(ground.limits).objectHeldMaxBytes
    return {
      ...quarantine,
      findings: await completeFindings(objects, findings, { settings: options.fsck, heldMaxBytes }),
    }
  } catch (error) {
    release()
    throw error
  }
}

interface Arrival extends Reception {
  spool: SpoolFile
  existing: PinnedPacks
  onArrival: QuarantineOptions['onArrival']
  release(): void
}

function quarantined(ground: Ground, repoId: RepoId, arrival: Arrival): QuarantinedPack {
  const { received, noted, spool, existing, onArrival, release } = arrival
  const { bucket, disk, limits } = ground
  const options = { bucket, spool, tier: 'received', inlineMaxBytes: limits.inlinePackMaxBytes } as const
  const incoming = incomingPack(repoId, received, options)
  const { repoId: _, outsideIds, rootIds, inline, ...row } = incoming.row
  const file = inline === undefined ? openSpooled(received, spool) : inlinePackFile(inline, row, { isChecked: true })
  let keeping: Promise<void> | undefined
  return {
    received,
    noted,
    findings: received.findings,
    release: () => void (keeping === undefined ? release() : keeping.then(release)),
    row: incoming.row,
    isCompactionDue: isCompactionDue([...existing.rows, incoming.row], ground.limits),
    objects: existing.objects.withPack(file),
    missingIds: (max) => absentIds(existing.objects, outsideIds, max),
    upload: (signal) => incoming.upload(signal),
    published({ packsVersion, packSequence: sequence }) {
      if (inline === undefined) keeping = incoming.keepLocal(disk)
      else onArrival(Number(packsVersion), { row: { ...row, sequence, isInline: true }, pack: packInMemory(file) })
    },
    discard: () => incoming.discard(),
  }
}

function openSpooled(received: ReceivedPack, { file }: SpoolFile): PackFile {
  const index = new PackIndex(received.index, { isChecked: true })
  return new PackFile(index, file, received.isThin, new SideCar(received.sideCar, index, { isChecked: true }))
}

function absentIds(objects: ObjectDatabase, ids: Buffer, max: number): ObjectId[] {
  const absent: ObjectId[] = []
  for (let offset = 0; offset < ids.length && absent.length < max; offset += idBytes) {
    if (objects.locate(ids, offset) < 0) absent.push(objectIdAt(ids, offset))
  }
  return absent
}
