/**
 * The life of a repository: made, listed, changed, moved, deleted. Functions that take a `Repo` rely on their caller
 * having opened it with admin access (hub/open-repo.ts); those that name a namespace decide about it here.
 */
import { packKey, packKeys } from '../bucket/keys.ts'
import { doomBytes } from '../database/doomed-bytes.ts'
import { enqueueJob } from '../database/jobs.ts'
import { findNamespace, type NamespaceRow } from '../database/organizations.ts'
import { listBundleIds, listPackIds } from '../database/packs.ts'
import type { Queryable } from '../database/queryable.ts'
import { updateRepoName } from '../database/repo-names.ts'
import {
  deleteRepoRow,
  insertRepo,
  listRepos,
  lockRepo,
  updateHeadTarget,
  updateVisibility,
} from '../database/repos.ts'
import { HoldfastError } from '../errors.ts'
import { isRefName } from '../git/ref-name.ts'
import type { Hub } from './hub.ts'
import { checkRepoName } from './names.ts'
import { tokenTooWeak } from './open-repo.ts'
import type { Actor } from './principal.ts'
import { type Repo, type RepoName, type RepoType, repoPath, type Visibility } from './repo.ts'
import { metadataJob } from './repo-metadata.ts'

/**
 * Makes an empty repository. Allowed in one's own namespace, to members of an organization with the role write or
 * admin, and to site admins everywhere. Throws InputInvalid, AccountNotFound, CredentialsMissing, AccessDenied, or
 * NameTaken (details.url, details.name: the one that exists).
 */
export async function createRepo(hub: Hub, actor: Actor, name: RepoName, visibility: Visibility): Promise<Repo> {
  checkRepoName(name.name, hub.config.limits)
  const { namespaceId, name: namespace } = await openNamespace(hub, actor, name.namespace)
  const createdBy = actor.kind === 'user' ? actor.userId : undefined
  const repo = await insertRepo(hub.database, { namespaceId, type: name.type, name: name.name, visibility, createdBy })
  if (repo === undefined) throw repoNameTaken(hub, { ...name, namespace })
  // Who may make it may push to it.
  return { ...repo, access: 'write' }
}

/** The address of a repository for people and for git. */
export function repoUrl(hub: Hub, repo: RepoName): string {
  return `${hub.config.publicUrl}/${repoPath(repo)}`
}

export interface RepoListOptions {
  type?: RepoType
  /** Only those of this user or organization. */
  namespace?: string
  /** Part of `namespace/name`, whatever its case. */
  search?: string
  /** `next` of the page before. */
  after?: string
  /** At most `listPageMax`, which is also the default. */
  pageSize?: number
}

/** A page of the repositories that the actor may read, newest first. `next` is undefined on the last page. */
export async function listVisibleRepos(
  hub: Hub,
  actor: Actor,
  { type, namespace, search, after, pageSize }: RepoListOptions,
): Promise<{ repos: Repo[]; next: string | undefined }> {
  if (after !== undefined && !/^\d{1,18}$/.test(after)) {
    throw new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
  }
  const max = Math.max(1, Math.min(pageSize ?? hub.config.limits.listPageMax, hub.config.limits.listPageMax))
  const rows = await listRepos(hub.database, {
    userId: actor.kind === 'user' ? actor.userId : undefined,
    isAll: actor.kind === 'operator' || (actor.kind === 'user' && actor.isAdmin),
    type,
    namespace,
    search,
    beforeId: after,
    rowsMax: max + 1,
  })
  const access = actor.kind === 'operator' ? 'admin' : 'read'
  const repos = rows.slice(0, max).map((row): Repo => ({ ...row, access }))
  return { repos, next: rows.length > max ? repos[max - 1].id : undefined }
}

/** Makes a repository public or private. */
export async function setVisibility(hub: Hub, repo: Repo, visibility: Visibility): Promise<void> {
  await updateVisibility(hub.database, repo.id, visibility)
}

/**
 * Points HEAD at a branch (its short name, latin1). Throws InputInvalid for what cannot be a branch, RevisionNotFound
 * for one that does not exist in a repository that has others.
 */
export async function setDefaultBranch(hub: Hub, repo: Repo, branch: string): Promise<void> {
  const headTarget = `refs/heads/${branch}`
  if (!isRefName(headTarget)) {
    throw new HoldfastError('InputInvalid', { message: `"${branch}" cannot be the name of a branch.` })
  }
  const isDone = await hub.database.transaction(async (tx) => {
    await lockRepo(tx, repo.id)
    const isMoved = await updateHeadTarget(tx, repo.id, headTarget)
    if (isMoved) await enqueueJob(tx, metadataJob(repo.id))
    return isMoved
  })
  if (isDone) return
  throw new HoldfastError('RevisionNotFound', {
    message: `${repoPath(repo)} has no branch "${branch}". Push it first.`,
  })
}

/**
 * Gives a repository to another namespace, or another name, or both; returns its new name. The actor must be allowed to
 * create repositories there. Throws as createRepo does.
 */
export async function moveRepo(
  hub: Hub,
  actor: Actor,
  repo: Repo,
  to: { namespace: string; name: string },
): Promise<RepoName> {
  checkRepoName(to.name, hub.config.limits)
  const { namespaceId, name: namespace } = await openNamespace(hub, actor, to.namespace)
  const moved: RepoName = { type: repo.type, namespace, name: to.name }
  const isMoved = await updateRepoName(hub.database, repo.id, { namespaceId, name: to.name })
  if (!isMoved) throw repoNameTaken(hub, moved)
  return moved
}

/**
 * Deletes a repository. Its rows go at once, its packs once nobody can still be reading them; LFS objects stay, as other
 * repositories may hold them. Deleting what is gone already is no error.
 */
export async function deleteRepo(hub: Hub, repo: Repo): Promise<void> {
  await hub.database.transaction(async (tx) => {
    if ((await lockRepo(tx, repo.id)) !== undefined) await deleteLocked(hub, tx, repo)
  })
}

/**
 * Deletes a repository unless its refs have changed since `repo` was read, but for the `ownChanges` of whoever asks. False
 * where they have: what was pushed stays.
 */
export async function deleteUntouchedRepo(hub: Hub, repo: Repo, ownChanges = 0): Promise<boolean> {
  return await hub.database.transaction(async (tx) => {
    const locked = await lockRepo(tx, repo.id)
    if (locked === undefined) return true
    if (BigInt(locked.refsVersion) !== BigInt(repo.refsVersion) + BigInt(ownChanges)) return false
    await deleteLocked(hub, tx, repo)
    return true
  })
}

async function deleteLocked(hub: Hub, tx: Queryable, repo: Repo): Promise<void> {
  // Pushes lock the row before they add packs, so that the list is complete.
  const packIds = await listPackIds(tx, repo.id)
  const bundleIds = await listBundleIds(tx, repo.id)
  const keys = [
    ...packIds.flatMap((packId) => packKeys(repo.id, packId)),
    ...bundleIds.map((packId) => packKey(repo.id, packId, 'bundle')),
  ]
  await doomBytes(tx, keys, hub.config.limits.doomedBytesGraceSeconds)
  await deleteRepoRow(tx, repo.id)
}

/** The namespace of that name, if the actor may make repositories there. */
async function openNamespace(hub: Hub, actor: Actor, name: string): Promise<NamespaceRow> {
  if (actor.kind === 'anonymous') {
    throw new HoldfastError('CredentialsMissing', { message: 'Sign in to create a repository.' })
  }
  const namespace = await findNamespace(hub.database, name, actor.kind === 'user' ? actor.userId : undefined)
  if (namespace === undefined) {
    throw new HoldfastError('AccountNotFound', { message: `There is no user or organization "${name}".` })
  }
  if (actor.kind === 'operator') return namespace
  const isAllowed = actor.isAdmin || namespace.role === 'admin' || namespace.role === 'write'
  if (!isAllowed) {
    throw new HoldfastError('AccessDenied', { message: `You may not create repositories in ${namespace.name}.` })
  }
  if (actor.role === 'read') {
    throw new HoldfastError('AccessDenied', { message: tokenTooWeak(actor, 'write', 'to create repositories') })
  }
  return namespace
}

function repoNameTaken(hub: Hub, name: RepoName): HoldfastError {
  return new HoldfastError('NameTaken', {
    message: `A ${name.type} repository called ${name.namespace}/${name.name} already exists.`,
    details: { url: repoUrl(hub, name), name: `${name.namespace}/${name.name}`, type: name.type },
  })
}
