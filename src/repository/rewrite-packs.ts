/**
 * Packs in place of others: each is written, received back, which proves that every chain in it ends in a whole object
 * and that its bytes are sound, and brought to the bucket; then the rows are swapped in one transaction.
 */
import { packKey, packKeys } from '../bucket/keys.ts'
import { type Bundle, type PackRow, type PackTier, replacePacks } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import { isHoldfastError } from '../errors.ts'
import type { PackSet } from '../git/pack/pack-set.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { fromThread } from '../git/worker.ts'
import type { Ground } from './ground.ts'
import { type IncomingPack, incomingPack } from './incoming-pack.ts'
import { receiveLimits } from './pack-limits.ts'
import { isRanged, shareObjects } from './shared-objects.ts'

/** A pack that is to be made: self-contained, unless it leans on others. */
export interface PackToWrite {
  tier: PackTier
  /** What it holds, of the packs that are rewritten. */
  ordinals: Uint32Array
  /** Its deltas may lean on the first so many packs; they are not removed. */
  groundPackCount?: number
  /** What a pack of the tier `clone` is the closure of. */
  tipIds?: Buffer
  /** Before a copy of the pack it makes a bundle, if the pack is as large as those that are linked to. */
  bundleHeader?: Buffer
}

export interface Rewriting {
  /** Of all packs of the repository, pinned. */
  objects: PackSet
  /** Their objects are in the packs to write. */
  removed: readonly PackRow[]
  written: readonly PackToWrite[]
}

interface Made {
  incoming: IncomingPack
  spool: SpoolFile
  bundleHeader: Buffer | undefined
}

/** Throws Conflict where another compaction was quicker; then, as after any failure before the swap, nothing is left. */
export async function rewritePacks(
  ground: Ground,
  repoId: RepoId,
  { objects, removed, written }: Rewriting,
): Promise<void> {
  const { bucket, database, disk, limits } = ground
  const made: Made[] = []
  const spools: SpoolFile[] = []
  let isSwapping = false
  let expectedBytes = removed.reduce((sum, { packBytes }) => sum + packBytes, 0)
  try {
    for (const pack of written) {
      const spool = disk.createSpool()
      spools.push(spool)
      spool.reserve(expectedBytes)
      const received = await rewrite(ground, objects, pack, spool)
      expectedBytes = Math.max(0, expectedBytes - received.sizeBytes)
      const isLinked = received.sizeBytes >= limits.cloneLinkMinBytes
      made.push({
        incoming: incomingPack(repoId, received, { bucket, spool, ...pack }),
        spool,
        bundleHeader: isLinked ? pack.bundleHeader : undefined,
      })
    }
    for (const { incoming } of made) await incoming.upload()
    const bundles = await uploadBundles(ground, repoId, made)
    isSwapping = true
    await replacePacks(database, {
      repoId,
      removedPackIds: removed.map((row) => row.id),
      added: made.map(({ incoming }) => incoming.row),
      bundles,
      doomedKeys: removed.flatMap((row) => keysOf(repoId, row)),
      graceSeconds: limits.doomedBytesGraceSeconds,
    })
  } catch (error) {
    // Any other failure of the swap leaves it open whether it was committed: the bytes stay for the sweep.
    if (!isSwapping || isHoldfastError(error, 'Conflict')) await discard(ground, repoId, made)
    throw error
  } finally {
    for (const spool of spools) spool.close()
  }
}

async function uploadBundles({ bucket }: Ground, repoId: RepoId, made: readonly Made[]): Promise<Bundle[]> {
  const bundles: Bundle[] = []
  for (const { incoming, spool, bundleHeader } of made) {
    if (bundleHeader === undefined) continue
    const { id } = incoming.row
    const sizeBytes = await bucket.put(packKey(repoId, id, 'bundle'), joined(bundleHeader, spool.stream()))
    bundles.push({ packId: id, sizeBytes })
  }
  return bundles
}

/** Never throws: the sweep of orphans is behind it. */
async function discard({ bucket }: Ground, repoId: RepoId, made: readonly Made[]): Promise<void> {
  const bundled = made.filter(({ bundleHeader }) => bundleHeader !== undefined)
  for (const { incoming } of made) await incoming.discard()
  const keys = bundled.map(({ incoming }) => packKey(repoId, incoming.row.id, 'bundle'))
  await bucket.delete(keys).catch(() => {})
}

async function* joined(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* rest
}

/** A clone pack may have a bundle. */
function keysOf(repoId: RepoId, { id, isInline, tier }: PackRow): string[] {
  const bundle = tier === 'clone' ? [packKey(repoId, id, 'bundle')] : []
  return isInline ? [] : [...packKeys(repoId, id), ...bundle]
}

async function rewrite(ground: Ground, objects: PackSet, pack: PackToWrite, spool: SpoolFile): Promise<ReceivedPack> {
  const { workers, limits } = ground
  const input = {
    objects: shareObjects(objects, limits),
    ordinals: pack.ordinals,
    isForClone: pack.tier === 'clone',
    groundPackCount: pack.groundPackCount ?? 0,
    spoolDescriptor: spool.file.descriptor,
    limits: receiveLimits(limits),
  }
  const received = fromThread(await workers.run('rewritePack', input, { mayStandStill: isRanged(objects) }))
  spool.adopt(received.sizeBytes)
  return received
}
