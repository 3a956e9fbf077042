/**
 * Which LFS content a push may point to. Knowing a SHA-256 is not owning it (design.md §3): a pointer passes if its
 * content is granted to this repository, or was uploaded here by the pusher, or may be read by the pusher elsewhere; and
 * if it tells the content's size, without which no client can read the file.
 */
import {
  type FalseLfsClaim,
  insertLfsGrants,
  type LfsAsker,
  type LfsClaim,
  lockUsableLfsObjects,
} from '../database/lfs-objects.ts'
import type { Queryable, RepoId } from '../database/queryable.ts'
import type { Principal } from './principal.ts'

/** Whose eyes decide, for which repository. */
export function lfsAsker(principal: Principal, repo: { id: RepoId }): LfsAsker {
  const user = principal.kind === 'user' ? principal : undefined
  return { repoId: repo.id, userId: user?.userId, isAdmin: user?.isAdmin ?? false }
}

/**
 * Those of `pointers` that the push may not hold, sorted. The content of all others stays as it is until the transaction
 * ends. Pure SQL: call `proveUploads` before the transaction.
 */
export async function findMissingLfs(
  tx: Queryable,
  push: { repo: { id: RepoId }; principal: Principal; pointers: readonly LfsClaim[] },
): Promise<FalseLfsClaim[]> {
  if (push.pointers.length === 0) return []
  return await lockUsableLfsObjects(tx, lfsAsker(push.principal, push.repo), push.pointers)
}

/** Lets the repository serve what its pointers name. Call after `findMissingLfs` found nothing missing. */
export async function grantLfs(tx: Queryable, push: { repo: { id: RepoId }; oids: readonly string[] }): Promise<void> {
  if (push.oids.length === 0) return
  await insertLfsGrants(tx, push.repo.id, push.oids)
}
