/** Files at a commit: found by their path, opened whole or in part; LFS pointers are followed to their content. */
import { LRUCache } from 'lru-cache'
import type { ByteRange } from '../bucket/bucket.ts'
import { findLfsObjects } from '../database/lfs-objects.ts'
import { HoldfastError } from '../errors.ts'
import type { ByteStream, ObjectId } from '../git/object-id.ts'
import type { LfsPointer } from '../lfs/pointer.ts'
import { describeBlob, findPath, locateObject } from './commit-files.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'

export interface FileAtCommit {
  commitId: ObjectId
  /** As it was asked for, decoded. */
  path: string
  blobId: ObjectId
  /** Of the blob: of the pointer for an LFS file. */
  sizeBytes: number
  /** What the blob points to, where it is an LFS pointer. */
  lfs: LfsPointer | undefined
}

/**
 * What commits hold never changes, in whichever repository: their ids stand for it. Folders may be wide and packs cold,
 * and clients ask for each file twice. Whether the caller may read the commit was asked before.
 */
const found = new LRUCache<string, FileAtCommit>({
  maxSize: 32 * 2 ** 20,
  sizeCalculation: (_file, key) => 2 * key.length + 400,
})

/** The file at `path` in a commit that the caller may read. Throws EntryNotFound (details.commitId). */
export async function openFile(
  hub: Hub,
  repo: Repo,
  { commitId, path }: { commitId: ObjectId; path: readonly string[] },
): Promise<FileAtCommit> {
  const joined = path.join('/')
  const key = `${commitId}/${joined}`
  const known = found.get(key)
  if (known !== undefined) return known
  const file = await hub.repositories.withObjects(repo, async (objects): Promise<FileAtCommit> => {
    const entry = findPath(objects, commitId, path)
    if (entry?.kind !== 'file') throw entryNotFound(commitId, joined)
    return { commitId, path: joined, ...describeBlob(objects, entry.id) }
  })
  found.set(key, file)
  return file
}

/** The blob's own bytes, or a range of them. */
export function readBlob(hub: Hub, repo: Repo, blobId: ObjectId, range: ByteRange | undefined): ByteStream {
  return hub.repositories.streamObjects(repo, (objects) => {
    const bytes = objects.stream(locateObject(objects, blobId))
    return range === undefined ? bytes : sliceBytes(bytes, range)
  })
}

/**
 * Where the content of an LFS file lies. Throws BytesMissing where this repository has not been given it, BytesMismatch
 * for a pointer that lies about its size: an answer announced with that length would run into the next one.
 */
export async function findLfsContent(
  hub: Hub,
  repo: Repo,
  { lfsOid, sizeBytes }: LfsPointer,
): Promise<{ key: string }> {
  const asker = { repoId: repo.id, userId: undefined, isAdmin: false }
  const [row] = await findLfsObjects(hub.database, asker, [lfsOid])
  if (!row?.isGranted) {
    throw new HoldfastError('BytesMissing', { message: `The LFS object ${lfsOid} is not on this server.` })
  }
  if (row.sizeBytes === sizeBytes) return row
  throw new HoldfastError('BytesMismatch', {
    message: `The LFS object ${lfsOid} has ${row.sizeBytes} bytes, and its pointer says ${sizeBytes}.`,
  })
}

/** The bytes under the key that `findLfsContent` named, or a range of them; each chunk holds until the next is asked for. */
export async function readLfsContent(hub: Hub, key: string, range: ByteRange | undefined): Promise<ByteStream> {
  return await hub.bucket.get(key, range, { reusesChunks: true })
}

async function* sliceBytes(bytes: ByteStream, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  let position = 0
  for await (const chunk of bytes) {
    const from = Math.max(0, start - position)
    const to = Math.min(chunk.length, end + 1 - position)
    if (from < to) yield chunk.subarray(from, to)
    position += chunk.length
    if (position > end) return
  }
}

export function entryNotFound(commitId: ObjectId, path: string): HoldfastError {
  return new HoldfastError('EntryNotFound', {
    message: `Entry not found: ${path.slice(0, 200)}`,
    details: { commitId },
  })
}
