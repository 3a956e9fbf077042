/**
 * The LFS content that a repository may serve, as its owners see and clear it (hub-api.md §2.10). What any stored object
 * still points to is never taken away: a commit id that was ever visible keeps its weights, and a branch that comes back
 * has them.
 */
import { deleteLfsGrants, type LfsGrantRow, listLfsGrants } from '../database/lfs-objects.ts'
import { lockRepo } from '../database/repos.ts'
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { hashObject } from '../git/hash-object.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import { locateId, type ObjectDatabase } from '../git/repository.ts'
import { findPaths } from '../git/walk/find-paths.ts'
import type { LfsOid } from '../lfs/oid.ts'
import { parsePointer, pointerMaxBytes, writePointer } from '../lfs/pointer.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { visibleRefs } from './visible-refs.ts'

export interface LfsFile {
  /** The blob of the pointer to it: names the file to `deleteLfsFiles`. */
  fileId: ObjectId
  lfsOid: string
  sizeBytes: number
  grantedAt: Date
  /** Where it lies in the history of the default branch, the newest place; undefined where it lies nowhere there. */
  path: string | undefined
}

/** A page of the repository's LFS content, by oid, and the oid after which the next page begins. */
export async function listLfsFiles(
  hub: Hub,
  repo: Repo,
  { after, pageSize }: { after: string | undefined; pageSize: number },
): Promise<{ files: LfsFile[]; next: string | undefined }> {
  const rows = await listLfsGrants(hub.database, repo.id, { after, rowsMax: pageSize + 1 })
  const page = rows.slice(0, pageSize)
  const { headId } = (await visibleRefs(hub, repo)).snapshot
  const ids = page.map(fileIdOf)
  const paths = await hub.repositories.withObjects(repo, async (objects) => {
    const held = ids.filter((id) => locateId(objects, id) >= 0)
    return headId === undefined || held.length === 0 ? new Map() : await findPaths(objects, [headId], held)
  })
  const files = page.map((row, index): LfsFile => {
    const latin1 = paths.get(ids[index])
    const path = latin1 === undefined ? undefined : Buffer.from(latin1, 'latin1').toString()
    return { fileId: ids[index], ...row, path }
  })
  return { files, next: rows.length > pageSize ? page.at(-1)!.lfsOid : undefined }
}

/**
 * Takes content from the repository by its file ids. Throws EntryNotFound for one that it does not have, Conflict where
 * something still points to it, or where somebody has pushed meanwhile; then nothing is taken.
 */
export async function deleteLfsFiles(hub: Hub, repo: Repo, fileIds: readonly string[]): Promise<void> {
  const wanted = new Set(fileIds.map((id) => parseObjectId(id)))
  const rows: LfsGrantRow[] = []
  const pause = fairLoop()
  for (const row of await listLfsGrants(hub.database, repo.id, {})) {
    if (pause.due()) await pause.now()
    if (wanted.delete(fileIdOf(row))) rows.push(row)
  }
  const [absent] = wanted
  if (wanted.size > 0) {
    throw new HoldfastError('EntryNotFound', { message: `This repository has no LFS file ${absent ?? 'of this id'}.` })
  }
  const needed = await hub.repositories.withObjects(repo, (objects) =>
    findPointedTo(objects, new Set(rows.map(({ lfsOid }) => lfsOid as LfsOid))),
  )
  const kept = rows.find(({ lfsOid }) => needed.has(lfsOid as LfsOid))
  if (kept !== undefined) throw stillNeeded(kept)
  await hub.database.transaction(async (tx) => {
    // A push that brings a pointer raises the version under the same lock, and asks for the grant once it holds it.
    const locked = await lockRepo(tx, repo.id)
    if (locked?.refsVersion !== repo.refsVersion) {
      throw new HoldfastError('Conflict', { message: 'The repository has been pushed to meanwhile. Try again.' })
    }
    const oids = rows.map(({ lfsOid }) => lfsOid)
    await deleteLfsGrants(tx, repo.id, oids)
  })
}

function fileIdOf({ lfsOid, sizeBytes }: LfsGrantRow): ObjectId {
  const pointer = writePointer({ lfsOid: lfsOid as LfsOid, sizeBytes })
  return hashObject({ type: 'blob', data: Buffer.from(pointer) })
}

/** Those of `oids` that a stored blob points to, in whatever form, reachable or not. Reads every small blob there is. */
async function findPointedTo(objects: ObjectDatabase, oids: ReadonlySet<LfsOid>): Promise<Set<LfsOid>> {
  const found = new Set<LfsOid>()
  const pause = fairLoop()
  for (let ordinal = 0; ordinal < objects.ordinalCount && found.size < oids.size; ordinal++) {
    if (pause.due()) await pause.now()
    if (objects.typeOf(ordinal) !== 'blob' || objects.stat(ordinal).sizeBytes >= pointerMaxBytes) continue
    const pointer = parsePointer(objects.read(ordinal).data)
    if (pointer !== undefined && oids.has(pointer.lfsOid)) found.add(pointer.lfsOid)
  }
  return found
}

function stillNeeded({ lfsOid }: LfsGrantRow): HoldfastError {
  return new HoldfastError('Conflict', {
    message: `The history of this repository still points to ${lfsOid}. Weights that a commit needs are not deleted, and \
history is not rewritten here: remove the file from every branch and tag, squash their history, and try again once the \
garbage collection has dropped what was squashed away.`,
  })
}
