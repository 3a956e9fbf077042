/** Files at a commit: found by their path, listed, opened whole or in part; LFS pointers are followed to their content. */
import type { ByteRange } from '../bucket/bucket.ts'
import { findLfsObjects } from '../database/lfs-objects.ts'
import { HoldfastError } from '../errors.ts'
import { commitIds } from '../git/commit.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { type ByteStream, type ObjectId, objectIdAt, objectIdBytes } from '../git/object-id.ts'
import type { ObjectDatabase, Ordinal } from '../git/repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../git/tree.ts'
import { type LfsPointer, parsePointer, pointerMaxBytes } from '../lfs/pointer.ts'
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

/** The file at `path` in a commit that the caller may read. Throws EntryNotFound (details.commitId). */
export async function openFile(
  hub: Hub,
  repo: Repo,
  { commitId, path }: { commitId: ObjectId; path: readonly string[] },
): Promise<FileAtCommit> {
  return await hub.repositories.withObjects(repo, async (objects) => {
    const blob = findBlob(objects, rootTree(objects, commitId), path)
    if (blob === undefined) throw entryNotFound(commitId, path.join('/'))
    return { commitId, path: path.join('/'), ...describeBlob(objects, blob) }
  })
}

export interface ListedFile {
  path: string
  blobId: ObjectId
  sizeBytes: number
  lfs: LfsPointer | undefined
}

/**
 * All files of a commit in Git's order, or undefined when they, or the folders, are more than `siblingsMax`. With
 * `isDetailed` each comes with size and LFS pointer, which costs a read per file; without it both are left undefined.
 */
export async function listFiles(
  hub: Hub,
  repo: Repo,
  { commitId, isDetailed }: { commitId: ObjectId; isDetailed: boolean },
): Promise<(Pick<ListedFile, 'path' | 'blobId'> & Partial<ListedFile>)[] | undefined> {
  const { siblingsMax } = hub.config.limits
  return await hub.repositories.withObjects(repo, async (objects) => {
    const files: (Pick<ListedFile, 'path' | 'blobId'> & Partial<ListedFile>)[] = []
    let folderCount = 0
    const pause = fairLoop()
    for (const { path, blobId } of walkFiles(objects, rootTree(objects, commitId))) {
      if (pause.due()) await pause.now()
      // Folders count too: a few trees that name each other can make paths without end, and not one file.
      if (blobId === undefined) folderCount++
      else files.push({ path, blobId, ...(isDetailed ? describeBlob(objects, locate(objects, blobId)) : undefined) })
      if (files.length > siblingsMax || folderCount > siblingsMax) return undefined
    }
    return files
  })
}

/** The blob's own bytes, or a range of them. */
export function readBlob(hub: Hub, repo: Repo, blobId: ObjectId, range: ByteRange | undefined): ByteStream {
  return hub.repositories.streamObjects(repo, (objects) => {
    const bytes = objects.stream(locate(objects, blobId))
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

/** The bytes under the key that `findLfsContent` named, or a range of them. */
export async function readLfsContent(hub: Hub, key: string, range: ByteRange | undefined): Promise<ByteStream> {
  return await hub.bucket.get(key, range)
}

function rootTree(objects: ObjectDatabase, commitId: ObjectId): Ordinal {
  return locate(objects, objectIdAt(commitIds(objects.read(locate(objects, commitId)).data)))
}

function locate(objects: ObjectDatabase, id: ObjectId): Ordinal {
  const ordinal = objects.locate(objectIdBytes(id))
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
  return ordinal
}

/** The blob at `path`; undefined where there is nothing, a directory or a submodule. */
function findBlob(objects: ObjectDatabase, root: Ordinal, path: readonly string[]): Ordinal | undefined {
  let tree = root
  for (const [depth, segment] of path.entries()) {
    const entry = findEntry(objects.read(tree).data, Buffer.from(segment))
    if (entry === undefined || isGitlink(entry.mode)) return undefined
    const isLast = depth === path.length - 1
    if (isDirectory(entry.mode) === isLast) return undefined
    tree = locate(objects, entry.id)
    if (isLast) return tree
  }
  return undefined
}

function findEntry(data: Buffer, name: Buffer): { mode: number; id: ObjectId } | undefined {
  const cursor = new TreeCursor(data)
  while (cursor.next()) {
    const { mode, nameAt, nameEnd, idAt } = cursor
    if (data.compare(name, 0, name.length, nameAt, nameEnd) === 0) return { mode, id: objectIdAt(data, idAt) }
  }
  return undefined
}

/** Every file, and every folder (without a blob's id), in Git's order. Not by recursion: folders may lie very deep. */
function* walkFiles(objects: ObjectDatabase, root: Ordinal): Generator<{ path: string; blobId: ObjectId | undefined }> {
  const open = [openFolder(objects, root, '')]
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    const { folder, data, cursor } = last
    if (!cursor.next()) {
      open.pop()
      continue
    }
    const { mode, nameAt, nameEnd, idAt } = cursor
    const path = folder + data.toString('utf8', nameAt, nameEnd)
    if (isDirectory(mode)) {
      yield { path, blobId: undefined }
      open.push(openFolder(objects, locate(objects, objectIdAt(data, idAt)), `${path}/`))
    } else if (!isGitlink(mode)) {
      yield { path, blobId: objectIdAt(data, idAt) }
    }
  }
}

function openFolder(objects: ObjectDatabase, tree: Ordinal, folder: string) {
  const { data } = objects.read(tree)
  return { folder, data, cursor: new TreeCursor(data) }
}

function describeBlob(objects: ObjectDatabase, blob: Ordinal): Pick<FileAtCommit, 'blobId' | 'sizeBytes' | 'lfs'> {
  const { sizeBytes } = objects.stat(blob)
  const lfs = sizeBytes < pointerMaxBytes ? parsePointer(objects.read(blob).data) : undefined
  return { blobId: objects.idOf(blob), sizeBytes, lfs }
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

function entryNotFound(commitId: ObjectId, path: string): HoldfastError {
  return new HoldfastError('EntryNotFound', {
    message: `Entry not found: ${path.slice(0, 200)}`,
    details: { commitId },
  })
}
