/**
 * Packs in place of others: each is written, received back, which proves that every chain in it ends in a whole object
 * and that its bytes are sound, and brought to the bucket; then the rows are swapped in one transaction.
 */
import { packKeys } from '../bucket/keys.ts'
import { type PackRow, type PackTier, replacePacks } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import { isHoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import { receivePackFile } from '../git/pack/receive-pack-file.ts'
import type { Ground } from './ground.ts'
import { type IncomingPack, incomingPack } from './incoming-pack.ts'
import { packSetLimits, receiveLimits } from './pack-limits.ts'

/** A pack that is to be made: self-contained. */
export interface PackToWrite {
  tier: PackTier
  bytes: ByteStream
  /** What a pack of the tier `clone` is the closure of. */
  tipIds?: Buffer
}

export interface Rewriting {
  /** Their objects are in the packs to write. */
  removed: readonly PackRow[]
  written: readonly PackToWrite[]
}

/** Throws Conflict where another compaction was quicker; then, as for any failure before the swap, nothing is left. */
export async function rewritePacks(ground: Ground, repoId: RepoId, { removed, written }: Rewriting): Promise<void> {
  const { database, disk, limits } = ground
  const spools: SpoolFile[] = []
  const incoming: IncomingPack[] = []
  try {
    for (const pack of written) {
      const spool = disk.createSpool()
      spools.push(spool)
      const received = await receiveBack(ground, pack.bytes, spool)
      incoming.push(incomingPack(repoId, received, { bucket: ground.bucket, spool, ...pack }))
    }
    for (const pack of incoming) await pack.upload()
    await database.transaction((tx) =>
      replacePacks(tx, {
        repoId,
        removedPackIds: removed.map((row) => row.id),
        added: incoming.map(({ row }) => row),
        doomedKeys: removed.flatMap((row) => (row.isInline ? [] : packKeys(repoId, row.id))),
        graceSeconds: limits.doomedBytesGraceSeconds,
      }),
    )
  } catch (error) {
    // Any other failure leaves it open whether the transaction was committed: the bytes stay for the sweep.
    if (isHoldfastError(error, 'Conflict')) for (const pack of incoming) await pack.discard()
    throw error
  } finally {
    for (const spool of spools) spool.close()
  }
}

function receiveBack({ limits }: Ground, bytes: ByteStream, spool: SpoolFile) {
  return receivePackFile(bytes, {
    spool,
    existing: new PackSet([], packSetLimits(limits)),
    limits: receiveLimits(limits),
  })
}
