/** The commits that lead to a commit, a page at a time. */
import { LRUCache } from 'lru-cache'
import type { Database } from '../database/queryable.ts'
import type { Commit } from '../git/commit.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import { pageHistory } from '../git/walk/history.ts'
import { locateObject, readListedCommit } from './commit-files.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'

export interface HistoryQuestion {
  /** Newest first from here; one that the caller may read. */
  commitId: ObjectId
  skip: number
  pageSize: number
  signal: AbortSignal
}

export interface ListedCommit extends Commit {
  id: ObjectId
}

/** How many commits lead to one never changes. */
const newTotals = () => new LRUCache<string, number>({ max: 10_000 })
const totalsOf = new WeakMap<Database, ReturnType<typeof newTotals>>()

/** A page of the history, and how long it is in all. */
export async function listCommits(
  hub: Hub,
  repo: Repo,
  { commitId, skip, pageSize, signal }: HistoryQuestion,
): Promise<{ commits: ListedCommit[]; total: number }> {
  const totals = totalsOf.get(hub.database) ?? newTotals()
  totalsOf.set(hub.database, totals)
  const key = `${repo.id}/${commitId}`
  const known = totals.get(key)
  return await hub.repositories.withObjects(repo, async (objects) => {
    const isCounting = known === undefined
    const options = { skip, max: pageSize, isCounting, pause: fairLoop(signal) }
    const page = await pageHistory(objects, locateObject(objects, commitId), options)
    const total = page.total ?? (known as number)
    totals.set(key, total)
    const commits: ListedCommit[] = []
    for (const ordinal of page.commits) {
      if (options.pause.due(8)) await options.pause.now()
      const commit = readListedCommit(objects, ordinal, hub.config.limits.listedCommitMaxBytes)
      commits.push({ id: objects.idOf(ordinal), ...commit })
    }
    return { commits, total }
  })
}
