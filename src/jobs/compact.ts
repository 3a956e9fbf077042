/** Compacts a repository's packs; asked for by the push that makes it due. */
import type { Task } from 'graphile-worker'
import type { RepoId } from '../database/queryable.ts'
import { isHoldfastError } from '../errors.ts'
import { compactRepo } from '../hub/compact.ts'
import type { Hub } from '../hub/hub.ts'

/** The task `compact`, with the payload `{ repoId }`. */
export function compactTask(hub: Hub): Task {
  return async (payload) => {
    const { repoId } = payload as { repoId: RepoId }
    try {
      const result = await compactRepo(hub, repoId)
      hub.logger.info({ repoId, ...result }, 'compacted packs')
    } catch (error) {
      // Deleted meanwhile, or compacted by another server that was asked to while this one ran: nothing is left to do.
      if (!isHoldfastError(error, 'RepoNotFound') && !isHoldfastError(error, 'Conflict')) throw error
    }
  }
}
