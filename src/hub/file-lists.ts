/** Lists of a commit's files: all at once for a repository's description, a page at a time for whoever walks folders. */
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import type { LfsPointer } from '../lfs/pointer.ts'
import { type CommitEntry, describeBlob, findPath, walkFolder } from './commit-files.ts'
import { entryNotFound } from './files.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'

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
    const root = findPath(objects, commitId, []) as CommitEntry
    for (const { kind, path, id } of walkFolder(objects, root, { isRecursive: true })) {
      if (pause.due()) await pause.now()
      // Folders count too: a few trees that name each other can make paths without end, and not one file.
      if (kind === 'directory') folderCount++
      else files.push({ path, blobId: id, ...(isDetailed ? describeBlob(objects, id) : undefined) })
      if (files.length > siblingsMax || folderCount > siblingsMax) return undefined
    }
    return files
  })
}

export interface FolderQuestion {
  commitId: ObjectId
  /** The decoded segments of the folder's path; none for the root. */
  path: readonly string[]
  isRecursive: boolean
  /** How many entries came before this page. */
  skip: number
  pageSize: number
}

export type FolderEntry = CommitEntry & Partial<Pick<ListedFile, 'sizeBytes' | 'lfs'>>

/** A page of what lies in a folder. Throws EntryNotFound where there is none. */
export async function listFolder(
  hub: Hub,
  repo: Repo,
  { commitId, path, isRecursive, skip, pageSize }: FolderQuestion,
): Promise<{ entries: FolderEntry[]; hasMore: boolean }> {
  if (skip > hub.config.limits.folderEntriesMax) {
    throw new HoldfastError('InputTooLarge', {
      message: 'This folder has more entries than this server lists. Clone it.',
    })
  }
  return await hub.repositories.withObjects(repo, async (objects) => {
    const folder = findPath(objects, commitId, path)
    if (folder?.kind !== 'directory') throw entryNotFound(commitId, path.join('/'))
    const entries: FolderEntry[] = []
    const pause = fairLoop()
    let passed = 0
    for (const entry of walkFolder(objects, folder, { isRecursive })) {
      if (pause.due()) await pause.now()
      if (passed++ < skip) continue
      if (entries.length === pageSize) return { entries, hasMore: true }
      entries.push(entry.kind === 'file' ? { ...entry, ...describeBlob(objects, entry.id) } : entry)
    }
    return { entries, hasMore: false }
  })
}

/** Where a list goes on: bound to the commit, so that a branch that moves between two pages does not mix them. */
export function writeFolderCursor(commitId: ObjectId, skip: number): string {
  return `${commitId}.${skip}`
}

/** Throws InputInvalid for what `writeFolderCursor` has not written. */
export function parseFolderCursor(cursor: string): { commitId: ObjectId; skip: number } {
  const [id, skip] = cursor.split('.')
  const commitId = parseObjectId(id)
  if (commitId === undefined || !/^\d{1,9}$/.test(skip ?? '')) {
    throw new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
  }
  return { commitId, skip: Number(skip) }
}
