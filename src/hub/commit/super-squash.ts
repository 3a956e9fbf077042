/** All commits of a branch made one: the same files without a history. What was there before stays in the ref log. */
import { oneChunk } from '../../bucket/streams.ts'
import { HoldfastError, isHoldfastError } from '../../errors.ts'
import { formatCommit } from '../../git/commit.ts'
import { hashObject } from '../../git/hash-object.ts'
import type { ObjectId } from '../../git/object-id.ts'
import { formatFreshPack } from '../../git/pack/fresh-pack.ts'
import type { GitObject } from '../../git/repository.ts'
import { findRootTree } from '../commit-files.ts'
import type { Hub } from '../hub.ts'
import { moveRef } from '../move-ref.ts'
import type { UserPrincipal } from '../principal.ts'
import { findHead, refText } from '../refs/branches.ts'
import type { Repo } from '../repo.ts'
import { authorNow } from './authorship.ts'
import { type OpenBranch, openBranch } from './branch.ts'
import { formatMessage } from './message.ts'
import { takeTurn } from './turns.ts'

export interface SquashQuestion {
  /** The branch. */
  revision: string
  message: string
  signal: AbortSignal
}

/**
 * Squashes a branch; resolves to the one commit's id. Throws RevisionNotFound, InputInvalid for a tag, as `formatMessage`, AccessDenied where
 * a rule speaks against it.
 */
export async function superSquash(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { revision, message, signal }: SquashQuestion,
): Promise<ObjectId> {
  const { refName } = await openSquashed(hub, repo, revision)
  const text = formatMessage({ summary: message, description: '' }, hub.config.limits.commitMessageMaxBytes)
  const turn = async () => {
    for (let tries = 0; tries < hub.config.limits.commitTriesMax; tries++) {
      const commitId = await trySquash(hub, principal, repo, { refName, message: text, signal })
      if (commitId !== undefined) return commitId
    }
    throw new HoldfastError('Conflict', { message: `${refText(refName)} keeps moving. Please try again.` })
  }
  return await takeTurn(hub.database, `${repo.id}/${refName}`, { turn, signal })
}

/** Undefined where the branch moved meanwhile. */
async function trySquash(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { refName, message, signal }: Omit<SquashQuestion, 'revision'> & { refName: string },
): Promise<ObjectId | undefined> {
  const { state } = await openBranch(hub, repo, refText(refName))
  const { headId } = state
  if (headId === undefined) {
    throw new HoldfastError('RevisionNotFound', { message: `Invalid rev id: ${refText(refName)} has no commit.` })
  }
  const current = { ...repo, ...state }
  const treeId = await hub.repositories.withObjects(current, async (objects) => findRootTree(objects, headId))
  const author = authorNow(hub, principal)
  const data = formatCommit({ treeId, parentIds: [], author, committer: author, message })
  const commit: GitObject = { type: 'commit', data }
  const commitId = hashObject(commit)
  const command = { name: refName, oldId: headId, newId: commitId }
  const isMoved = await moveRef(hub, principal, current, { command, pack: oneChunk(formatFreshPack([commit])), signal })
  return isMoved ? commitId : undefined
}

/** Whoever names a tag is told so. */
async function openSquashed(hub: Hub, repo: Repo, revision: string): Promise<OpenBranch> {
  try {
    return await openBranch(hub, repo, revision)
  } catch (error) {
    const tagRef = `refs/tags/${Buffer.from(revision)
      .toString('latin1')
      .replace(/^refs\/tags\//, '')}`
    if (!isHoldfastError(error, 'RevisionNotFound') || (await findHead(hub, repo, tagRef)) === undefined) throw error
    throw new HoldfastError('InputInvalid', { message: `Invalid reference for a branch: ${refText(tagRef)}` })
  }
}
