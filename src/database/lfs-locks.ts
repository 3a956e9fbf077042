/** LFS locks: at most one per path and repository. */
import type { Queryable, RepoId, UserId } from './queryable.ts'

export interface LfsLock {
  lockId: string
  path: string
  ownerId: UserId
  ownerName: string
  lockedAt: Date
  /** Where the lock stands in lists: decimal digits, ascending by age. */
  position: string
}

export interface LockFilter {
  path: string | undefined
  lockId: string | undefined
  /** Only locks behind this position. */
  after: string | undefined
  limit: number
}

const columns = `l.id as "lockId", l.path, l.owner_id as "ownerId", n.name as "ownerName", l.locked_at as "lockedAt",
  l.position as "position"`

/** Locks a path. Undefined where it is locked already. */
export async function insertLock(
  db: Queryable,
  repoId: RepoId,
  lock: { lockId: string; path: string; refName: string | undefined; ownerId: UserId },
): Promise<LfsLock | undefined> {
  const rows = await db.query<LfsLock>(
    `with l as (
      insert into lfs_locks (id, repo_id, path, ref_name, owner_id) values ($1, $2, $3, $4, $5)
      on conflict (repo_id, path) do nothing
      returning *
    )
    select ${columns} from l join namespaces n on n.id = l.owner_id`,
    [lock.lockId, repoId, lock.path, lock.refName, lock.ownerId],
  )
  return rows[0]
}

/** The locks that pass the filter, oldest first. */
export async function listLocks(db: Queryable, repoId: RepoId, filter: LockFilter): Promise<LfsLock[]> {
  return await db.query<LfsLock>(
    `select ${columns} from lfs_locks l join namespaces n on n.id = l.owner_id
    where l.repo_id = $1
      and ($2::text is null or l.path = $2)
      and ($3::uuid is null or l.id = $3)
      and ($4::bigint is null or l.position > $4)
    order by l.position
    limit $5`,
    [repoId, filter.path, filter.lockId, filter.after, filter.limit],
  )
}

/** Removes a lock; false where it is gone already. */
export async function deleteLock(db: Queryable, repoId: RepoId, lockId: string): Promise<boolean> {
  const rows = await db.query('delete from lfs_locks where repo_id = $1 and id = $2 returning id', [repoId, lockId])
  return rows.length > 0
}
