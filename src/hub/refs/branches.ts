/** Branches made and deleted by name. */
import { oneChunk } from '../../bucket/streams.ts'
import { readBranchState } from '../../database/commit-answers.ts'
import { HoldfastError } from '../../errors.ts'
import { formatCommit } from '../../git/commit.ts'
import { hashObject } from '../../git/hash-object.ts'
import type { ObjectId } from '../../git/object-id.ts'
import { formatFreshPack } from '../../git/pack/fresh-pack.ts'
import { isRefName } from '../../git/ref-name.ts'
import type { GitObject } from '../../git/repository.ts'
import { authorNow } from '../commit/authorship.ts'
import type { Hub } from '../hub.ts'
import { moveRef } from '../move-ref.ts'
import type { UserPrincipal } from '../principal.ts'
import type { Repo } from '../repo.ts'
import { resolveRevision } from '../revisions.ts'

export interface NewBranch {
  /** Short. */
  name: string
  /** A revision; undefined: the default branch. */
  startingPoint: string | undefined
  /** Begins with a commit without files and parents. */
  isEmpty: boolean
  /** Takes the place of a branch of that name. */
  isOverwriting: boolean
  signal: AbortSignal
}

/**
 * Makes a branch. Throws InputInvalid for what cannot be one, Conflict where there is one, RevisionNotFound where the
 * starting point is none, AccessDenied where a rule speaks against it.
 */
export async function createBranch(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { name, startingPoint, isEmpty, isOverwriting, signal }: NewBranch,
): Promise<void> {
  const refName = branchRef(name)
  const existingId = await findHead(hub, repo, refName)
  if (existingId !== undefined && !isOverwriting) throw alreadyExists(refName)
  const start = isEmpty ? startEmpty(hub, principal) : { commitId: await findStart(hub, repo, startingPoint) }
  const isMoved = await moveRef(hub, principal, repo, {
    command: { name: refName, oldId: existingId, newId: start.commitId },
    pack: 'objects' in start ? oneChunk(formatFreshPack(start.objects)) : undefined,
    signal,
  })
  if (!isMoved) throw alreadyExists(refName)
}

/** Deletes a branch. Throws RevisionNotFound where there is none, AccessDenied for the default branch. */
export async function deleteBranch(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<void> {
  const refName = branchRef(name)
  if (refName === repo.headTarget) {
    throw new HoldfastError('AccessDenied', { message: `Cannot delete ${refText(refName)}: it is the default branch.` })
  }
  await deleteRef(hub, principal, repo, { refName, signal })
}

/** Deletes a ref that somebody names. Throws RevisionNotFound where there is none. */
export async function deleteRef(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { refName, signal }: { refName: string; signal: AbortSignal },
): Promise<void> {
  for (let tries = 0; tries < hub.config.limits.commitTriesMax; tries++) {
    const oldId = await findHead(hub, repo, refName)
    if (oldId === undefined) {
      throw new HoldfastError('RevisionNotFound', { message: `Invalid rev id: ${refText(refName)}` })
    }
    if (await moveRef(hub, principal, repo, { command: { name: refName, oldId, newId: undefined }, signal })) return
  }
  throw new HoldfastError('Conflict', { message: `${refText(refName)} keeps moving. Try again.` })
}

/** What a ref points to now. */
export async function findHead(hub: Hub, repo: Repo, refName: string): Promise<ObjectId | undefined> {
  return (await readBranchState(hub.database, { repoId: repo.id, refName }))?.headId
}

export function alreadyExists(refName: string): HoldfastError {
  return new HoldfastError('Conflict', { message: `Reference ${refText(refName)} already exists` })
}

/** A ref's name (latin1) for people to read. */
export function refText(refName: string): string {
  return Buffer.from(refName, 'latin1').toString().slice(0, 300)
}

function branchRef(name: string): string {
  const short = Buffer.from(name)
    .toString('latin1')
    .replace(/^refs\/heads\//, '')
  // Whoever asks for a branch of that name has mistaken a ref for one.
  if (!short.startsWith('refs/') && isRefName(`refs/heads/${short}`)) return `refs/heads/${short}`
  throw new HoldfastError('InputInvalid', { message: `Invalid reference for a branch: ${name.slice(0, 300)}` })
}

async function findStart(hub: Hub, repo: Repo, startingPoint: string | undefined): Promise<ObjectId> {
  return (await resolveRevision(hub, repo, startingPoint ?? 'HEAD')).commitId
}

function startEmpty(hub: Hub, principal: UserPrincipal): { commitId: ObjectId; objects: GitObject[] } {
  const tree: GitObject = { type: 'tree', data: Buffer.alloc(0) }
  const author = authorNow(hub, principal)
  const message = 'initial commit\n'
  const data = formatCommit({ treeId: hashObject(tree), parentIds: [], author, committer: author, message })
  const commit: GitObject = { type: 'commit', data }
  return { commitId: hashObject(commit), objects: [commit, tree] }
}
