/** The last commits of files and folders, for lists that people and clients read. */
import { LRUCache } from 'lru-cache'
import { parseCommit } from '../git/commit.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { ObjectDatabase, Ordinal } from '../git/repository.ts'
import { findLastChanges } from '../git/walk/last-changes.ts'
import { locateObject } from './commit-files.ts'

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
const known = new LRUCache<string, LastCommit>({ max: 50_000 })

/** For each path, in its bytes, what changed it last; undefined where that lies more than `commitsMax` commits back. */
export async function findLastCommits(
  objects: ObjectDatabase,
  { commitId, paths, commitsMax }: { commitId: ObjectId; paths: readonly Buffer[]; commitsMax: number },
): Promise<(LastCommit | undefined)[]> {
  const keys = paths.map((path) => `${commitId}/${path.toString('latin1')}`)
  const asked = paths.filter((_, index) => !known.has(keys[index]))
  if (asked.length > 0) {
    const question = { commit: locateObject(objects, commitId), paths: asked, commitsMax }
    const found = await findLastChanges(objects, question, fairLoop())
    const read = commitReader(objects)
    for (const [index, commit] of found) known.set(`${commitId}/${asked[index].toString('latin1')}`, read(commit))
  }
  return keys.map((key) => known.get(key))
}

/** Files of one upload share their commit. */
function commitReader(objects: ObjectDatabase): (commit: Ordinal) => LastCommit {
  const commits = new Map<Ordinal, LastCommit>()
  return (ordinal) => {
    const read = commits.get(ordinal) ?? readCommit(objects, ordinal)
    commits.set(ordinal, read)
    return read
  }
}

function readCommit(objects: ObjectDatabase, ordinal: Ordinal): LastCommit {
  const { message, committer } = parseCommit(objects.read(ordinal).data)
  const title = message.trimStart().split('\n', 1)[0].trimEnd()
  return { commitId: objects.idOf(ordinal), title, date: new Date(committer.seconds * 1000) }
}
