/**
 * Garbage collection of bytes (design laws 1 and 3): what rows doomed, once its time has come, and what no row names, once
 * it is too old to belong to an upload that still runs.
 */
import type { Bucket } from '../bucket/bucket.ts'
import { isLfsKey, isLfsPartKey, keyPrefixes, packIdOfKey } from '../bucket/keys.ts'
import { deleteOldCommitAnswers } from '../database/commit-answers.ts'
import { forgetDoomedBytes, listDoomedBytes } from '../database/doomed-bytes.ts'
import { countDoomedBytes, findOrphanLfsKeys, findOrphanPackKeys } from '../database/garbage.ts'
import { deleteOldLfsOffers } from '../database/lfs-uploads.ts'
import { deleteOldSignInFailures } from '../database/sign-in-failures.ts'
import type { Hub } from './hub.ts'

export interface GarbageReport {
  /** Keys whose rows are gone, due now. */
  doomedKeys: number
  /** Keys whose rows are gone, kept for readers that may still be there. */
  waitingKeys: number
  /** Keys that no row names. */
  orphanKeys: number
  orphanBytes: number
}

/** As many as one request to an S3 store may delete. */
const batchKeys = 1_000

/**
 * Deletes garbage, or only counts it. Safe beside running pushes and uploads and beside itself; a crash leaves the rest
 * for the next run.
 */
export async function collectGarbage(hub: Hub, { isDryRun = false } = {}): Promise<GarbageReport> {
  const { dueKeys, laterKeys } = await countDoomedBytes(hub.database)
  const doomedKeys = isDryRun ? dueKeys : await deleteDoomed(hub)
  if (!isDryRun) await deleteOldSignInFailures(hub.database, hub.config.limits.signInWindowSeconds)
  if (!isDryRun) await deleteOldLfsOffers(hub.database, hub.config.limits.lfsOfferKeptSeconds)
  if (!isDryRun) await deleteOldCommitAnswers(hub.database, hub.config.limits.commitAnswerKeptSeconds)
  const orphans = await collectOrphans(hub, isDryRun)
  return { doomedKeys, waitingKeys: laterKeys, ...orphans }
}

async function deleteDoomed(hub: Hub): Promise<number> {
  let deleted = 0
  for (;;) {
    const keys = await listDoomedBytes(hub.database, batchKeys)
    if (keys.length === 0) return deleted
    await hub.bucket.delete(keys)
    await forgetDoomedBytes(hub.database, keys)
    deleted += keys.length
  }
}

async function collectOrphans(hub: Hub, isDryRun: boolean): Promise<{ orphanKeys: number; orphanBytes: number }> {
  let orphanKeys = 0
  let orphanBytes = 0
  const olderThan = new Date(Date.now() - hub.config.limits.orphanBytesGraceSeconds * 1000)
  for await (const batch of listOldKeys(hub.bucket, olderThan)) {
    const sizes = new Map(batch.map(({ key, sizeBytes }) => [key, sizeBytes]))
    const orphans = await findOrphans(hub, [...sizes.keys()])
    if (!isDryRun && orphans.length > 0) await hub.bucket.delete(orphans)
    orphanKeys += orphans.length
    orphanBytes += orphans.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0)
  }
  return { orphanKeys, orphanBytes }
}

/** Keys of ours in batches. Whatever else lies in the bucket is not ours to delete. */
async function* listOldKeys(bucket: Bucket, olderThan: Date): AsyncGenerator<{ key: string; sizeBytes: number }[]> {
  let batch: { key: string; sizeBytes: number }[] = []
  for (const prefix of Object.values(keyPrefixes)) {
    for await (const { key, sizeBytes, modifiedAt } of bucket.list(prefix)) {
      if (modifiedAt >= olderThan || !isOurs(key)) continue
      batch.push({ key, sizeBytes })
      if (batch.length < batchKeys) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

function isOurs(key: string): boolean {
  return packIdOfKey(key) !== undefined || isLfsKey(key) || isLfsPartKey(key)
}

async function findOrphans(hub: Hub, keys: string[]): Promise<string[]> {
  const packKeys = keys.filter((key) => packIdOfKey(key) !== undefined)
  const packIds = packKeys.map((key) => packIdOfKey(key)!)
  return [
    ...(await findOrphanPackKeys(hub.database, packKeys, packIds)),
    ...(await findOrphanLfsKeys(hub.database, keys.filter(isLfsKey))),
    // Of an upload that was never completed: no row names a part.
    ...keys.filter(isLfsPartKey),
  ]
}
