/** LFS content that lies beside an imported repository: hashed on its way into the bucket, and granted. */
import type { ByteStream } from '../bucket/bucket.ts'
import { lfsKey, newKeyId } from '../bucket/keys.ts'
import { verifyBytes } from '../bucket/verifying.ts'
import { findLfsObjects, type LfsClaim } from '../database/lfs-objects.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import type { LfsOid } from '../lfs/oid.ts'
import { parsePointer, pointerMaxBytes } from '../lfs/pointer.ts'
import type { Hub } from './hub.ts'
import { grantLfs, lfsAsker } from './lfs-presence.ts'
import { holdLfsBytes } from './lfs-transfer.ts'
import { anonymous } from './principal.ts'
import type { Repo } from './repo.ts'

/** Finds the content of a pointer; undefined where the source does not have it. */
export type FindLfsContent = (lfsOid: string) => Promise<{ sizeBytes: number; read(): ByteStream } | undefined>

/** The oids that the pointers among `ordinals` name, each once. */
export async function findLfsOids(objects: ObjectDatabase, ordinals: Uint32Array): Promise<LfsOid[]> {
  const oids = new Set<LfsOid>()
  const pause = fairLoop()
  for (const ordinal of ordinals) {
    if (pause.due()) await pause.now()
    const { type, sizeBytes } = objects.stat(ordinal)
    if (type !== 'blob' || sizeBytes >= pointerMaxBytes) continue
    const pointer = parsePointer(objects.read(ordinal).data)
    if (pointer !== undefined) oids.add(pointer.lfsOid)
  }
  return [...oids]
}

export interface LfsImport {
  find: FindLfsContent
  onProgress(done: number): void
  signal: AbortSignal
}

/**
 * Brings what the source has of `oids` to the bucket and grants it to `repo`; returns how many that were. Throws
 * BytesMismatch for a file that is not what its oid says. Whether pointers tell the right size is for the push to say.
 */
export async function importLfs(
  hub: Hub,
  repo: Repo,
  oids: readonly LfsOid[],
  { find, onProgress, signal }: LfsImport,
): Promise<number> {
  const held = new Set(
    (await findLfsObjects(hub.database, lfsAsker(anonymous, repo), oids)).map(({ lfsOid }) => lfsOid),
  )
  let count = 0
  for (const [index, lfsOid] of oids.entries()) {
    signal.throwIfAborted()
    onProgress(index)
    const content = await find(lfsOid)
    if (content === undefined) continue
    const { sizeBytes } = content
    const verified = verifyBytes(content.read(), { sizeBytes, sha256: lfsOid })
    if (held.has(lfsOid)) await grantHeld(hub, repo, lfsOid, verified)
    else await takeIn(hub, repo, { lfsOid, sizeBytes }, verified, signal)
    count++
  }
  onProgress(oids.length)
  return count
}

/** One copy per instance; but whoever names an oid has to show the content. */
async function grantHeld(hub: Hub, repo: Repo, lfsOid: LfsOid, verified: ByteStream): Promise<void> {
  for await (const _ of verified);
  await hub.database.transaction((tx) => grantLfs(tx, { repo, oids: [lfsOid] }))
}

async function takeIn(
  hub: Hub,
  repo: Repo,
  { lfsOid, sizeBytes }: LfsClaim,
  verified: ByteStream,
  signal: AbortSignal,
): Promise<void> {
  const key = lfsKey(lfsOid, newKeyId())
  await hub.bucket.put(key, verified, { signal })
  await hub.database.transaction(async (tx) => {
    await holdLfsBytes(hub, tx, [{ lfsOid, sizeBytes, key }])
    await grantLfs(tx, { repo, oids: [lfsOid] })
  })
}
