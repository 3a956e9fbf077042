/**
 * A received pack on its way in: checked out of sight in the spool, then brought to the bucket, then made visible by a
 * row in the caller's transaction (bytes first, rows second). A crash anywhere before leaves invisible bytes, which the
 * sweep of orphans finds.
 */
import { insertPack } from '../database/packs.ts'
import type { Queryable, RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import { type ByteStream, idBytes, type ObjectId, objectIdAt } from '../git/object-id.ts'
import type { NotedBlobs } from '../git/pack/noted-blobs.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import type { Ground } from './ground.ts'
import { incomingPack } from './incoming-pack.ts'
import type { PinnedPacks } from './pack-catalog.ts'
import { packSetLimits } from './pack-limits.ts'
import { type ReceiveOptions, type Reception, receivePack } from './receive.ts'

/** A pack that was received whole and undamaged, and that nobody else sees yet. */
export interface QuarantinedPack {
  readonly received: ReceivedPack
  /** What `toNote` asked for. */
  readonly noted: NotedBlobs
  /** How many packs the repository has with this one. */
  readonly packCount: number
  /** The repository's objects and the new ones. Valid until `release`. */
  readonly objects: ObjectDatabase
  /** Ids that the pack's objects refer to and that exist nowhere: the push is incomplete if there are any. */
  missingIds(max: number): ObjectId[]
  /** Brings pack and index to the bucket, durably. */
  upload(signal?: AbortSignal): Promise<void>
  /** Makes the pack visible when `tx` commits. Only after `upload`. */
  publish(tx: Queryable): Promise<void>
  /** Deletes what `upload` brought, after a push that was refused. Never throws: the sweep of orphans is behind it. */
  discard(): Promise<void>
  /** Frees the spool and the pinned packs, whatever became of the push. */
  release(): void
}

export interface QuarantineOptions extends Omit<ReceiveOptions, 'spool' | 'existing'> {
  /** The packs that the pusher sees; the quarantine releases them. */
  existing: PinnedPacks
}

/** Receives `input` into quarantine. Throws PackInvalid and what reading the stream throws; then nothing is left. */
export async function receiveIntoQuarantine(
  ground: Ground,
  repoId: RepoId,
  input: ByteStream,
  options: QuarantineOptions,
): Promise<QuarantinedPack> {
  const { existing, ...receiveOptions } = options
  const spool = ground.disk.createSpool()
  const release = () => {
    spool.close()
    existing.release()
  }
  try {
    const reception = await receivePack(ground, input, { ...receiveOptions, spool, existing })
    return quarantined(ground, repoId, { ...reception, spool, existing, release })
  } catch (error) {
    release()
    throw error
  }
}

interface Arrival extends Reception {
  spool: SpoolFile
  existing: PinnedPacks
  release(): void
}

function quarantined(ground: Ground, repoId: RepoId, arrival: Arrival): QuarantinedPack {
  const { received, noted, spool, existing, release } = arrival
  const incoming = incomingPack(ground.bucket, repoId, { received, spool }, { tier: 'received' })
  const pack = new PackFile(new PackIndex(received.index, { isChecked: true }), spool.file, received.isThin)
  return {
    received,
    noted,
    release,
    packCount: existing.rows.length + 1,
    objects: new PackSet([...existing.objects.packs, pack], packSetLimits(ground.limits)),
    missingIds: (max) => absentIds(existing.objects, received.outsideIds, max),
    upload: (signal) => incoming.upload(signal),
    publish: (tx) => insertPack(tx, incoming.row),
    discard: () => incoming.discard(),
  }
}

function absentIds(objects: ObjectDatabase, ids: Buffer, max: number): ObjectId[] {
  const absent: ObjectId[] = []
  for (let offset = 0; offset < ids.length && absent.length < max; offset += idBytes) {
    if (objects.locate(ids, offset) < 0) absent.push(objectIdAt(ids, offset))
  }
  return absent
}
