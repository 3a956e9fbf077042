/** What lies at a path in a commit's trees, and what its blob is. */
import { HoldfastError } from '../errors.ts'
import { type Commit, commitIds, parseCommit } from '../git/commit.ts'
import { type ObjectId, objectIdAt } from '../git/object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal } from '../git/repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../git/tree.ts'
import { type LfsPointer, parsePointer, pointerMaxBytes } from '../lfs/pointer.ts'

/** A file or folder. Submodules are left out: what they hold lies elsewhere. */
export interface CommitEntry {
  kind: 'file' | 'directory'
  /** The whole path, without a slash at either end. */
  path: string
  id: ObjectId
}

/** The entry at `path`, the root folder for an empty one; undefined where there is nothing, or a submodule. */
export function findPath(
  objects: ObjectDatabase,
  commitId: ObjectId,
  path: readonly string[],
): CommitEntry | undefined {
  let found: CommitEntry = { kind: 'directory', path: '', id: findRootTree(objects, commitId) }
  for (const segment of path) {
    if (found.kind !== 'directory') return undefined
    const entry = findEntry(objects.read(locateObject(objects, found.id)).data, Buffer.from(segment))
    if (entry === undefined || isGitlink(entry.mode)) return undefined
    const kind = isDirectory(entry.mode) ? 'directory' : 'file'
    found = { kind, path: found.path === '' ? segment : `${found.path}/${segment}`, id: entry.id }
  }
  return found
}

/** The tree of a commit. */
export function findRootTree(objects: ObjectDatabase, commitId: ObjectId): ObjectId {
  return objectIdAt(commitIds(objects.read(locateObject(objects, commitId)).data))
}

/** A commit for lists: what of it lies behind `maxBytes` is left out. */
export function readListedCommit(objects: ObjectDatabase, commit: Ordinal, maxBytes: number): Commit {
  return parseCommit(objects.read(commit).data.subarray(0, maxBytes))
}

/** A blob's size, and what it points to where it is an LFS pointer. */
export function describeBlob(
  objects: ObjectDatabase,
  blobId: ObjectId,
): { blobId: ObjectId; sizeBytes: number; lfs: LfsPointer | undefined } {
  const blob = locateObject(objects, blobId)
  const { sizeBytes } = objects.stat(blob)
  const lfs = sizeBytes < pointerMaxBytes ? parsePointer(objects.read(blob).data) : undefined
  return { blobId, sizeBytes, lfs }
}

/** Throws ObjectMissing: what a visible commit leads to exists, unless the repository is damaged. */
export function locateObject(objects: ObjectDatabase, id: ObjectId): Ordinal {
  const ordinal = locateId(objects, id)
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
  return ordinal
}

function findEntry(data: Buffer, name: Buffer): { mode: number; id: ObjectId } | undefined {
  const cursor = new TreeCursor(data)
  while (cursor.next()) {
    const { mode, nameAt, nameEnd, idAt } = cursor
    if (data.compare(name, 0, name.length, nameAt, nameEnd) === 0) return { mode, id: objectIdAt(data, idAt) }
  }
  return undefined
}
