/**
 * A received pack that waits in the spool: its keys in the bucket, its catalogue row to be, and the way there. A small one
 * rides in the row's transaction, and has no way to go.
 */
import type { Bucket } from '../bucket/bucket.ts'
import { newKeyId, packKeys } from '../bucket/keys.ts'
import { oneChunk } from '../bucket/streams.ts'
import type { InlinePack, NewPack, PackTier } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { Disk, SpoolFile } from '../disk/disk.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { sectionsToRow } from './clone-pack.ts'
import { formatIndexFile } from './index-file.ts'

export interface IncomingPack {
  readonly row: NewPack
  /** Brings the pack and what lies beside it to the bucket, durably; nothing to do for a small one. */
  upload(signal?: AbortSignal): Promise<void>
  /** Brings to the local cache what `upload` brought to the bucket: whoever reads it next need not fetch it. Never throws. */
  keepLocal(disk: Disk): Promise<void>
  /** Deletes what `upload` brought, where no row will name it. Never throws: the sweep of orphans is behind it. */
  discard(): Promise<void>
}

export interface IncomingPackOptions {
  bucket: Bucket
  spool: SpoolFile
  tier: PackTier
  /** What a pack of the tier `clone` is the closure of. */
  tipIds?: Buffer
  /** Up to this size, index and side-car included, a pack rides in the transaction. */
  inlineMaxBytes?: number
}

/** The pack in `spool` on its way to `repoId`, under an id of its own. */
export function incomingPack(
  repoId: RepoId,
  received: ReceivedPack,
  { bucket, spool, tier, tipIds, inlineMaxBytes = 0 }: IncomingPackOptions,
): IncomingPack {
  const packId = newKeyId()
  const [packFileKey, indexKey] = packKeys(repoId, packId)
  const sizeBytes = received.sizeBytes + received.index.length + received.sideCar.length
  const inline = sizeBytes <= inlineMaxBytes ? readInline(received, spool) : undefined
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
      inline,
    },
    async upload(signal) {
      if (inline !== undefined) return
      const puts = [
        bucket.putFile(packFileKey, spool, { signal }),
        bucket.put(indexKey, oneChunk(formatIndexFile(received)), { signal }),
      ]
      // Where one fails: so that `discard` comes after the other.
      await Promise.allSettled(puts)
      await Promise.all(puts)
    },
    async keepLocal(disk) {
      if (inline !== undefined || received.sizeBytes > disk.cacheMaxBytes * localShareMax) return
      const files: [string, () => AsyncIterable<Uint8Array>][] = [
        [packFileKey, () => spool.stream()],
        [indexKey, () => oneChunk(formatIndexFile(received))],
      ]
      await Promise.all(files.map(([key, bytes]) => fillCache({ bucket, disk, key }, bytes))).catch(() => {})
    },
    async discard() {
      if (inline === undefined) await bucket.delete([packFileKey, indexKey]).catch(() => {})
    },
  }
}

/** A larger part of the cache is for what is asked for. */
const localShareMax = 1 / 8

interface CacheFile {
  bucket: Bucket
  disk: Disk
  key: string
}

/** A bucket that is a local folder needs no cache. */
async function fillCache({ bucket, disk, key }: CacheFile, bytes: () => AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await bucket.openFile(key)
  if (handle !== undefined) await handle.close()
  else (await disk.open(key, async () => bytes())).close()
}

function readInline(received: ReceivedPack, { file }: SpoolFile): InlinePack {
  const pack = Buffer.allocUnsafeSlow(received.sizeBytes)
  file.readSync(pack, 0, pack.length, 0)
  return { pack, index: formatIndexFile(received) }
}
