/** The locking API's words (git-lfs docs/api/locking.md). */
import { type Static, Type } from 'typebox'
import { RefField } from './batch.ts'

export const LockRequest = Type.Object({ path: Type.String(), ref: RefField })
export type LockRequest = Static<typeof LockRequest>

/** The query of a list: all of it optional, and empty values count as absent, as git-lfs sends them. */
export const LockQuery = Type.Object({
  path: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.String()),
  refspec: Type.Optional(Type.String()),
})
export type LockQuery = Static<typeof LockQuery>

export const LockVerifyRequest = Type.Object({
  cursor: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  limit: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  ref: RefField,
})
export type LockVerifyRequest = Static<typeof LockVerifyRequest>

export const UnlockRequest = Type.Object({
  force: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  ref: RefField,
})
export type UnlockRequest = Static<typeof UnlockRequest>

export interface Lock {
  id: string
  path: string
  /** RFC 3339 to the second: git-lfs compares the text it was given. */
  locked_at: string
  owner: { name: string }
}

export interface LockFacts {
  lockId: string
  path: string
  lockedAt: Date
  ownerName: string
}

/** The lock as the API spells it. */
export function writeLock(lock: LockFacts): Lock {
  return {
    id: lock.lockId,
    path: lock.path,
    locked_at: `${lock.lockedAt.toISOString().slice(0, 19)}Z`,
    owner: { name: lock.ownerName },
  }
}

/**
 * What is wrong with a path to be locked, or undefined. Such a path names a file from the root of the working tree, as
 * a tree entry would: other texts would lock nothing.
 */
export function findPathFault(path: string, pathMaxBytes: number): string | undefined {
  if (path === '') return 'A lock needs the path of a file.'
  if (Buffer.byteLength(path) > pathMaxBytes) return `The path is longer than ${pathMaxBytes} bytes.`
  if (path.includes('\0') || !path.isWellFormed()) return 'The path is not UTF-8 text.'
  if (path.split('/').some((name) => name === '' || name === '.' || name === '..')) {
    return 'The path must be relative to the root of the repository, without empty, "." or ".." parts.'
  }
  return undefined
}
