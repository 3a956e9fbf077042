/** Compaction under the rules of the repository: what is hidden from its readers is no part of what they clone. */

import type { JobNote } from '../database/jobs.ts'
import type { RepoId } from '../database/queryable.ts'
import { readRefRules } from '../database/ref-rules.ts'
import { HoldfastError } from '../errors.ts'
import type { CompactionResult } from '../repository/compact.ts'
import type { Hub } from './hub.ts'
import { isRefVisible, visibilityClassOf } from './visible-refs.ts'

/** Asks for the compaction of a repository, once however often it is asked for meanwhile. */
export function compactionJob(repoId: RepoId): JobNote & { key: string } {
  return { name: 'compact', payload: { repoId }, key: `compact:${repoId}` }
}

/** Does what is due. Throws RepoNotFound, and Conflict where another compaction was quicker. */
export async function compactRepo(hub: Hub, repoId: RepoId): Promise<CompactionResult> {
  const rules = await readRefRules(hub.database, repoId)
  if (rules === undefined) throw new HoldfastError('RepoNotFound')
  const readers = visibilityClassOf({ access: 'read', refRules: rules.refRules })
  return await hub.repositories.compact(repoId, (name) => isRefVisible(readers, name))
}
