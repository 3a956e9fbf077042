/** Lists of a commit's files: all at once for a repository's description, a page at a time for whoever walks folders. */
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import type { LfsPointer } from '../lfs/pointer.ts'
import { type CommitEntry, describeBlob, findPath } from './commit-files.ts'
import { entryNotFound } from './files.ts'
import { FolderWalk } from './folder-walk.ts'
import type { Hub } from './hub.ts'
import { findLastCommits, type LastCommit } from './last-commits.ts'
import type { Repo } from './repo.ts'

export interface ListedFile {
  path: string
  blobId: ObjectId
  sizeBytes: number
  lfs: LfsPointer | undefined
}

/**
 * All files of a commit in Git's order, or undefined when they, or the folders, are more than `siblingsMax`, or a path is
 * longer than `gitPathMaxBytes`. With
 * `isDetailed` each comes with size and LFS pointer, which costs a read per file; without it both are left undefined.
 */
export async function listFiles(
  hub: Hub,
  repo: Repo,
  { commitId, isDetailed }: { commitId: ObjectId; isDetailed: boolean },
): Promise<(Pick<ListedFile, 'path' | 'blobId'> & Partial<ListedFile>)[] | undefined> {
  const { siblingsMax, gitPathMaxBytes } = hub.config.limits
  return await hub.repositories.withObjects(repo, async (objects) => {
    const files: (Pick<ListedFile, 'path' | 'blobId'> & Partial<ListedFile>)[] = []
    let folderCount = 0
    const pause = fairLoop()
    const root = findPath(objects, commitId, []) as CommitEntry
    const walk = new FolderWalk(objects, root, { isRecursive: true })
    for (let entry = walk.next(); entry !== undefined; entry = walk.next()) {
      const { kind, path, id } = entry
      if (pause.due()) await pause.now()
      // Folders count too: a few trees that name each other can make paths without end, and not one file.
      if (kind === 'directory') folderCount++
      else files.push({ path, blobId: id, ...(isDetailed ? describeBlob(objects, id) : undefined) })
      if (files.length > siblingsMax || folderCount > siblingsMax || path.length > gitPathMaxBytes) return undefined
    }
    return files
  })
}

export interface FolderQuestion {
  commitId: ObjectId
  /** The decoded segments of the folder's path; none for the root. */
  path: readonly string[]
  isRecursive: boolean
  /** The `next` of the page before. */
  after: Buffer | undefined
  pageSize: number
  withLastCommit: boolean
}

export interface DescribedEntry extends CommitEntry, Partial<Pick<ListedFile, 'sizeBytes' | 'lfs'>> {
  lastCommit?: LastCommit
}

/** A page of what lies in a folder, and where the next one begins. Throws EntryNotFound where there is none. */
export async function listFolder(
  hub: Hub,
  repo: Repo,
  { commitId, path, isRecursive, after, pageSize, withLastCommit }: FolderQuestion,
): Promise<{ entries: DescribedEntry[]; next: Buffer | undefined }> {
  const { gitPathMaxBytes } = hub.config.limits
  return await hub.repositories.withObjects(repo, async (objects) => {
    const folder = findPath(objects, commitId, path)
    if (folder?.kind !== 'directory') throw entryNotFound(commitId, path.join('/'))
    const walk = new FolderWalk(objects, folder, { isRecursive, after })
    const entries: DescribedEntry[] = []
    const places: Buffer[] = []
    const pause = fairLoop()
    let next: Buffer | undefined
    let entry = walk.next()
    for (; entry !== undefined && entries.length < pageSize; entry = walk.next()) {
      if (pause.due()) await pause.now()
      // In folders within folders paths grow without end, and a page of them with their square.
      if (entry.path.length > gitPathMaxBytes) throw pathTooLong(entry.path, gitPathMaxBytes)
      entries.push(describeEntry(objects, entry))
      if (withLastCommit) places.push(walk.place)
      if (entries.length === pageSize) next = walk.place
    }
    if (withLastCommit) {
      const before = Buffer.from(path.map((segment) => `${segment}/`).join(''))
      const paths = places.map((place) => Buffer.concat([before, place]))
      await addLastCommits(hub, objects, { commitId, entries, paths })
    }
    return { entries, next: entry === undefined ? undefined : next }
  })
}

/** What lies at each of `paths` (decoded, without slashes at the ends); where nothing does, nothing is told. Throws InputTooLarge. */
export async function describePaths(
  hub: Hub,
  repo: Repo,
  { commitId, paths, withLastCommit }: { commitId: ObjectId; paths: readonly string[]; withLastCommit: boolean },
): Promise<DescribedEntry[]> {
  const { gitPathMaxBytes } = hub.config.limits
  return await hub.repositories.withObjects(repo, async (objects) => {
    const entries: DescribedEntry[] = []
    const pause = fairLoop()
    for (const path of paths) {
      if (pause.due(64)) await pause.now()
      if (path.length > gitPathMaxBytes) throw pathTooLong(path, gitPathMaxBytes)
      const entry = path === '' ? undefined : findPath(objects, commitId, path.split('/'))
      if (entry !== undefined) entries.push(describeEntry(objects, entry))
    }
    if (withLastCommit) {
      await addLastCommits(hub, objects, { commitId, entries, paths: entries.map(({ path }) => Buffer.from(path)) })
    }
    return entries
  })
}

function describeEntry(objects: ObjectDatabase, entry: CommitEntry): DescribedEntry {
  return entry.kind === 'file' ? { ...entry, ...describeBlob(objects, entry.id) } : entry
}

async function addLastCommits(
  hub: Hub,
  objects: ObjectDatabase,
  { commitId, entries, paths }: { commitId: ObjectId; entries: DescribedEntry[]; paths: readonly Buffer[] },
): Promise<void> {
  const { lastCommitsLookedAtMax: commitsMax, listedCommitMaxBytes: commitMaxBytes } = hub.config.limits
  const found = await findLastCommits(objects, { commitId, paths, commitsMax, commitMaxBytes })
  for (const [index, entry] of entries.entries()) entry.lastCommit = found[index]
}

function pathTooLong(path: string, maxBytes: number): HoldfastError {
  return new HoldfastError('InputTooLarge', {
    message: `The path ${path.slice(0, 80)}… is longer than ${maxBytes} bytes, which is more than this server lists. Clone it.`,
  })
}

/** Where a list goes on: bound to the commit, so that a branch that moves between two pages does not mix them. */
export function writeFolderCursor(commitId: ObjectId, next: Buffer): string {
  return `${commitId}.${next.toString('base64url')}`
}

/** Throws InputInvalid for what `writeFolderCursor` has not written. */
export function parseFolderCursor(cursor: string): { commitId: ObjectId; after: Buffer } {
  const [, id, after] = /^([0-9a-f]{40})\.([\w-]+)$/.exec(cursor) ?? []
  const commitId = parseObjectId(id ?? '')
  if (commitId === undefined) {
    throw new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
  }
  return { commitId, after: Buffer.from(after, 'base64url') }
}
