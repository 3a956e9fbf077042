/** Likes: given and taken back by whoever may read a repository, shown to whoever may read it too. */
import { deleteLike, insertLike, type LikeRow, type LikerRow, listLikers, listLikes } from '../database/likes.ts'
import { findNamespace } from '../database/organizations.ts'
import type { UserId } from '../database/queryable.ts'
import { HoldfastError } from '../errors.ts'
import type { Hub } from './hub.ts'
import { tokenTooWeak } from './open-repo.ts'
import type { Principal } from './principal.ts'
import type { Repo } from './repo.ts'
import { readerFor } from './repo-search.ts'

/**
 * Notes that somebody likes the repository, or no longer does. Saying it twice changes nothing. Throws CredentialsMissing,
 * AccessDenied for a token that may only read.
 */
export async function setLike(hub: Hub, principal: Principal, repo: Repo, isLiked: boolean): Promise<void> {
  if (principal.kind === 'anonymous') throw new HoldfastError('CredentialsMissing')
  if (principal.role === 'read') {
    throw new HoldfastError('AccessDenied', { message: tokenTooWeak(principal, 'write', 'to like repositories') })
  }
  const change = isLiked ? insertLike : deleteLike
  await change(hub.database, repo.id, principal.userId)
}

export interface Page<Row> {
  rows: Row[]
  /** Where the next page begins; undefined on the last. */
  next: string | undefined
}

/** A page of those who like the repository. Throws InputInvalid for a cursor that is none. */
export async function pageOfLikers(hub: Hub, repo: Repo, cursor: string | undefined): Promise<Page<LikerRow>> {
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) throw noCursor()
  const { listPageMax } = hub.config.limits
  const question = { repoId: repo.id, afterId: cursor ?? '0', rowsMax: listPageMax + 1 }
  const rows = await listLikers(hub.database, question)
  const page = rows.slice(0, listPageMax)
  return { rows: page, next: rows.length > listPageMax ? page.at(-1)?.userId : undefined }
}

/** A page of what the user likes, of what the principal may read. Throws AccountNotFound, and InputInvalid as above. */
export async function pageOfLikes(
  hub: Hub,
  principal: Principal,
  { userName, cursor }: { userName: string; cursor: string | undefined },
): Promise<Page<LikeRow>> {
  const user = await findNamespace(hub.database, userName, undefined)
  if (user === undefined) throw new HoldfastError('AccountNotFound', { message: `There is no user "${userName}".` })
  const { listPageMax } = hub.config.limits
  const rows = await listLikes(hub.database, {
    userId: user.namespaceId as UserId,
    reader: readerFor(principal),
    after: cursor === undefined ? [latest, '0'] : parseCursor(cursor),
    rowsMax: listPageMax + 1,
  })
  const page = rows.slice(0, listPageMax)
  const last = page.at(-1)
  return { rows: page, next: rows.length > listPageMax && last ? `${last.position}.${last.repoId}` : undefined }
}

/** Later than any like, in microseconds. */
const latest = '9'.repeat(17)

function parseCursor(cursor: string): [string, string] {
  const [, position, repoId] = /^(\d{1,18})\.(\d{1,18})$/.exec(cursor) ?? []
  if (repoId === undefined) throw noCursor()
  return [position, repoId]
}

function noCursor(): HoldfastError {
  return new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
}
