/** Reads what a repository's default branch says of it; asked for by the push that moves it. */
import type { Task } from 'graphile-worker'
import type { RepoId } from '../database/queryable.ts'
import { isHoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { refreshMetadata } from '../hub/repo-metadata.ts'

/** The task `read-metadata`, with the payload `{ repoId }`. */
export function readMetadataTask(hub: Hub): Task {
  return async (payload) => {
    const { repoId } = payload as { repoId: RepoId }
    try {
      await refreshMetadata(hub, repoId)
    } catch (error) {
      // Deleted meanwhile.
      if (!isHoldfastError(error, 'RepoNotFound')) throw error
    }
  }
}
