/** The branch that a request of the API writes to: named by its short name, by its ref, or as HEAD. */
import { type BranchState, readBranchState } from '../../database/commit-answers.ts'
import { HoldfastError } from '../../errors.ts'
import { isPushableRefName } from '../../git/ref-name.ts'
import type { ObjectDatabase } from '../../git/repository.ts'
import { locateCommit } from '../commit-visibility.ts'
import type { Hub } from '../hub.ts'
import { type Repo, repoPath } from '../repo.ts'

export interface OpenBranch {
  /** Its ref, latin1. */
  refName: string
  state: BranchState
}

/**
 * The branch, as it is now: its head is undefined only for the default branch of an empty repository. Throws
 * RevisionNotFound for everything else that may be a revision: tags and commits cannot be written to.
 */
export async function openBranch(hub: Hub, repo: Repo, revision: string): Promise<OpenBranch> {
  const refName = branchRefName(repo, revision)
  const state = isPushableRefName(refName) ? await readState(hub, repo, refName) : undefined
  if (state !== undefined && (state.headId !== undefined || refName === repo.headTarget)) return { refName, state }
  throw new HoldfastError('RevisionNotFound', {
    message: `Invalid rev id: ${revision.slice(0, 200)} is no branch of ${repoPath(repo)}.`,
  })
}

async function readState(hub: Hub, repo: Repo, refName: string): Promise<BranchState | undefined> {
  if (refName.startsWith('refs/tags/')) return undefined
  const state = await readBranchState(hub.database, { repoId: repo.id, refName })
  const headId = state?.headId
  if (headId === undefined || refName.startsWith('refs/heads/')) return state
  // Other refs may hold anything that was pushed to them.
  const isCommit = async (objects: ObjectDatabase) => locateCommit(objects, headId) !== undefined
  return (await hub.repositories.withObjects({ ...repo, ...state }, isCommit)) ? state : undefined
}

/** The full name of the ref that `revision` (text) means as a branch, latin1. */
export function branchRefName(repo: Repo, revision: string): string {
  if (revision === 'HEAD') return repo.headTarget
  const name = Buffer.from(revision).toString('latin1')
  return name.startsWith('refs/') ? name : `refs/heads/${name}`
}
