/** Compaction under the rules of the repository: what is hidden from its readers is no part of what they clone. */

import type { JobNote } from '../database/jobs.ts'
import type { RepoId } from '../database/queryable.ts'
import { readRefRules } from '../database/ref-rules.ts'
import { HoldfastError } from '../errors.ts'
import type { CompactionResult } from '../repository/compact.ts'
import type { Hub } from './hub.ts'
import { visibilityClassOf, visibleTo } from './visible-refs.ts'

/**
 * The compaction of a repository, once however often it is asked for meanwhile. Asked for while it runs, it may begin on
 * another server: one of the two meets a Conflict. A queue of its own would prevent that, but a server that is killed
 * leaves its queues locked for four hours.
 */
export function compactionJob(repoId: RepoId): JobNote {
  return { name: 'compact', payload: { repoId }, key: `compact:${repoId}` }
}

/**
 * The compaction of a repository from whose clone pack something was forced away: the later the larger the pack is. Until
 * then clones are picked from it, at three times the cost; but each one that is replaced takes its room for a day more, and
 * some people force many times an hour. Under a key of its own, so that what is due meanwhile does not wait for it.
 */
export function forcedCompactionJob(repoId: RepoId, clonePackBytes: number | null): JobNote {
  const delayMs = Math.min((clonePackBytes ?? 0) / forcedBytesPerMs, forcedDelayMaxMs)
  return { ...compactionJob(repoId), key: `compact-forced:${repoId}`, runAt: new Date(Date.now() + delayMs) }
}

// 1 MiB a second.
const forcedBytesPerMs = 1024 * 1.024
const forcedDelayMaxMs = 3_600_000

/** Does what is due. Throws RepoNotFound, and Conflict where another compaction was quicker. */
export async function compactRepo(hub: Hub, repoId: RepoId): Promise<CompactionResult> {
  const rules = await readRefRules(hub.database, repoId)
  if (rules === undefined) throw new HoldfastError('RepoNotFound')
  const isCloned = visibleTo(visibilityClassOf({ access: 'read', refRules: rules.refRules }))
  return await hub.repositories.compact(repoId, isCloned)
}
