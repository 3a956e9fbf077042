/**
 * The rules of LFS locks (git-lfs docs/api/locking.md). A lock holds its path on every ref: the `ref` that clients send
 * is noted, and narrows nothing, so that a lock is found and released from whatever branch somebody stands on.
 */
import { randomUUID } from 'node:crypto'
import { deleteLock, insertLock, type LfsLock, type LockFilter, listLocks } from '../database/lfs-locks.ts'
import { HoldfastError } from '../errors.ts'
import { findPathFault } from '../lfs/lock.ts'
import type { Hub } from './hub.ts'
import { openRepo } from './open-repo.ts'
import type { Principal, UserPrincipal } from './principal.ts'
import type { Repo } from './repo.ts'

export type { LfsLock } from '../database/lfs-locks.ts'

export interface LockPage {
  locks: LfsLock[]
  /** Where the next page begins; undefined on the last. */
  nextCursor: string | undefined
}

export interface LockListing {
  path?: string
  lockId?: string
  cursor?: string
  limit?: number
}

const locksPageDefault = 100

/** Locks a path for a user who may write. Throws LockExists with `details.lock`, InputInvalid for a path no file has. */
export async function createLock(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  { path, refName }: { path: string; refName: string | undefined },
): Promise<LfsLock> {
  const fault = findPathFault(path, hub.config.limits.lfsPathMaxBytes)
  if (fault !== undefined) throw new HoldfastError('InputInvalid', { message: fault })
  const lock = { lockId: randomUUID(), path, refName, ownerId: asUser(principal).userId }
  const created = await insertLock(hub.database, repo.id, lock)
  if (created !== undefined) return created
  const [existing] = await listLocks(hub.database, repo.id, { ...everything, path, limit: 1 })
  // Gone between the two statements: whoever held it has just released it.
  if (existing === undefined)
    throw new HoldfastError('Conflict', { message: 'The path was locked just now. Try again.' })
  throw new HoldfastError('LockExists', {
    message: `The path is already locked by ${existing.ownerName}.`,
    details: { lock: existing },
  })
}

/** One page of locks, oldest first. A cursor stays good whatever is locked and released meanwhile. */
export async function pageLocks(hub: Hub, repo: Repo, listing: LockListing): Promise<LockPage> {
  const limit = readLimit(hub, listing.limit)
  const after = readCursor(listing.cursor)
  if (listing.lockId !== undefined && !isLockId(listing.lockId)) return { locks: [], nextCursor: undefined }
  // No path has a NUL, and PostgreSQL takes none.
  if (listing.path?.includes('\0')) return { locks: [], nextCursor: undefined }
  const filter: LockFilter = { path: listing.path, lockId: listing.lockId, after, limit: limit + 1 }
  const rows = await listLocks(hub.database, repo.id, filter)
  const locks = rows.slice(0, limit)
  return { locks, nextCursor: rows.length > limit ? locks.at(-1)?.position : undefined }
}

/** True for a lock that `principal` holds. */
export function isOwnLock(principal: Principal, lock: LfsLock): boolean {
  return principal.kind === 'user' && principal.userId === lock.ownerId
}

/**
 * Releases a lock: one's own, or with `force`, for administrators of the repository, anybody's. Throws LockNotFound,
 * AccessDenied.
 */
export async function releaseLock(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  { lockId, force }: { lockId: string; force: boolean },
): Promise<LfsLock> {
  if (!isLockId(lockId)) throw new HoldfastError('LockNotFound')
  const [lock] = await listLocks(hub.database, repo.id, { ...everything, lockId, limit: 1 })
  if (lock === undefined) throw new HoldfastError('LockNotFound')
  if (!isOwnLock(principal, lock)) {
    if (!force) {
      throw new HoldfastError('AccessDenied', {
        message: `This lock belongs to ${lock.ownerName}. Administrators of the repository may release it by force.`,
      })
    }
    await openRepo(hub, principal, repo, 'admin')
  }
  if (!(await deleteLock(hub.database, repo.id, lockId))) throw new HoldfastError('LockNotFound')
  return lock
}

const everything = { path: undefined, lockId: undefined, after: undefined }

function asUser(principal: Principal): UserPrincipal {
  if (principal.kind !== 'user') throw new HoldfastError('CredentialsMissing')
  return principal
}

function isLockId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** Without a limit, and for zero, which git-lfs sends for "no limit", the server's own. */
function readLimit(hub: Hub, limit = 0): number {
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new HoldfastError('InputInvalid', { message: 'A limit is a whole number of locks.' })
  }
  return Math.min(limit === 0 ? locksPageDefault : limit, hub.config.limits.lfsLocksPageMax)
}

function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || /^\d{1,18}$/.test(cursor)) return cursor
  throw new HoldfastError('InputInvalid', { message: 'The cursor is not one that this server gave.' })
}
