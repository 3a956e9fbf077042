/** The last commits of files and folders, for lists that people and clients read. */
import { LRUCache } from 'lru-cache'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { ObjectDatabase, Ordinal } from '../git/repository.ts'
import { findLastChanges } from '../git/walk/last-changes.ts'
import { locateObject, readListedCommit } from './commit-files.ts'

export interface LastCommit {
  commitId: ObjectId
  /** The first line of its message. */
  title: string
  date: Date
}

/**
 * A path's last commit never changes as seen from one commit, in whichever repository: its id stands for all history.
 * Whether the caller may read that commit was asked before.
 */
const known = new LRUCache<string, LastCommit>({
  // More than one page of the longest paths and titles takes.
  maxSize: 64 * 2 ** 20,
  sizeCalculation: ({ title }, key) => key.length + 2 * title.length + 200,
})

export interface LastCommitsQuestion {
  commitId: ObjectId
  paths: readonly Buffer[]
  /** So many are looked at. */
  commitsMax: number
  /** So much of each is read. */
  commitMaxBytes: number
}

/** For each path, in its bytes, what changed it last; undefined where that lies more than `commitsMax` commits back. */
export async function findLastCommits(
  objects: ObjectDatabase,
  { commitId, paths, commitsMax, commitMaxBytes }: LastCommitsQuestion,
): Promise<(LastCommit | undefined)[]> {
  const keys = paths.map((path) => `${commitId}/${path.toString('latin1')}`)
  const asked = paths.filter((_, index) => !known.has(keys[index]))
  if (asked.length > 0) {
    const question = { commit: locateObject(objects, commitId), paths: asked, commitsMax }
    const found = await findLastChanges(objects, question, fairLoop())
    const read = commitReader(objects, commitMaxBytes)
    for (const [index, commit] of found) known.set(`${commitId}/${asked[index].toString('latin1')}`, read(commit))
  }
  return keys.map((key) => known.get(key))
}

/** Files of one upload share their commit. */
function commitReader(objects: ObjectDatabase, maxBytes: number): (commit: Ordinal) => LastCommit {
  const commits = new Map<Ordinal, LastCommit>()
  return (ordinal) => {
    const read = commits.get(ordinal) ?? readCommit(objects, ordinal, maxBytes)
    commits.set(ordinal, read)
    return read
  }
}

function readCommit(objects: ObjectDatabase, ordinal: Ordinal, maxBytes: number): LastCommit {
  const { message, committer } = readListedCommit(objects, ordinal, maxBytes)
  // A copy: a part of a text keeps the whole in memory.
  const title = Buffer.from(message.trimStart().split('\n', 1)[0].trimEnd()).toString()
  return { commitId: objects.idOf(ordinal), title, date: new Date(committer.seconds * 1000) }
}
