/** A received pack that waits in the spool: its keys in the bucket, its catalogue row to be, and the way there. */
import type { Bucket } from '../bucket/bucket.ts'
import { newKeyId, packKeys } from '../bucket/keys.ts'
import { oneChunk } from '../bucket/streams.ts'
import type { NewPack, PackTier } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { sectionsToRow } from './clone-pack.ts'

export interface IncomingPack {
  readonly row: NewPack
  /** Brings pack and index to the bucket, durably. */
  upload(signal?: AbortSignal): Promise<void>
  /** Deletes what `upload` brought, where no row will name it. Never throws: the sweep of orphans is behind it. */
  discard(): Promise<void>
}

export interface IncomingPackOptions {
  tier: PackTier
  /** What a pack of the tier `clone` is the closure of. */
  tipIds?: Buffer
}

/** The pack in `spool` on its way to `repoId`, under an id of its own. */
export function incomingPack(
  bucket: Bucket,
  repoId: RepoId,
  { received, spool }: { received: ReceivedPack; spool: SpoolFile },
  { tier, tipIds }: IncomingPackOptions,
): IncomingPack {
  const packId = newKeyId()
  const [packFileKey, indexKey] = packKeys(repoId, packId)
  return {
    row: {
      id: packId,
      repoId,
      isThin: received.isThin,
      checksum: received.checksum,
      objectCount: received.objectCount,
      packBytes: received.sizeBytes,
      indexBytes: received.index.length,
      outsideIds: received.outsideIds,
      tier,
      ...sectionsToRow(received.sections),
      rootIds: received.isThin || received.outsideIds.length > 0 ? null : (received.rootIds ?? null),
      tipIds: tipIds ?? null,
    },
    async upload(signal) {
      await Promise.all([
        bucket.put(packFileKey, spool.stream(), { signal }),
        bucket.put(indexKey, oneChunk(received.index), { signal }),
      ])
    },
    async discard() {
      await bucket.delete([packFileKey, indexKey]).catch(() => {})
    },
  }
}
