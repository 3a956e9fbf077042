/** Lists of models, datasets and spaces as somebody may read them: searched, filtered, sorted, page by page. */
import { findNamespace } from '../database/organizations.ts'
import type { Reader } from '../database/readable-repos.ts'
import { type ListedRepoRow, listReposBy, type RepoPosition, type RepoQuestion } from '../database/repo-lists.ts'
import { HoldfastError } from '../errors.ts'
import type { Hub } from './hub.ts'
import type { Principal } from './principal.ts'

export type { ListedRepoRow, RepoSort } from '../database/repo-lists.ts'

export interface RepoSearch extends Omit<RepoQuestion, 'reader' | 'namespaceId' | 'after' | 'rowsMax'> {
  /** A user or an organization, whatever the case. */
  author: string | undefined
  /** `next` of the page before. */
  cursor: string | undefined
  pageSize: number | undefined
}

/** A page of repositories; `next` is undefined on the last. Throws InputInvalid for what cannot be asked for. */
export async function searchRepos(
  hub: Hub,
  principal: Principal,
  search: RepoSearch,
): Promise<{ repos: ListedRepoRow[]; next: string | undefined }> {
  const { limits } = hub.config
  if (search.words.length + search.tags.length > limits.listFiltersMax) {
    throw new HoldfastError('InputInvalid', {
      message: `A list is filtered by at most ${limits.listFiltersMax} words and tags.`,
    })
  }
  const namespaceId = await findAuthor(hub, search.author)
  if (namespaceId === null) return { repos: [], next: undefined }
  const max = search.isDetailed ? limits.listDetailedPageMax : limits.listPageMax
  const pageSize = Math.max(1, Math.min(search.pageSize ?? max, max))
  const rows = await listReposBy(hub.database, {
    ...search,
    reader: readerFor(principal),
    namespaceId,
    // Its index finds those that have it among their tags.
    tags: [...search.tags, ...(search.pipelineTag === undefined ? [] : [search.pipelineTag])],
    after: search.cursor === undefined ? undefined : parseCursor(search.cursor),
    rowsMax: pageSize + 1,
  })
  const repos = rows.slice(0, pageSize)
  return { repos, next: rows.length > pageSize ? writeCursor(repos[pageSize - 1]) : undefined }
}

/** Whose eyes a list is made for: a token that may at least read reads all that its user may. */
export function readerFor(principal: Principal): Reader {
  return principal.kind === 'user'
    ? { userId: principal.userId, isAll: principal.isAdmin }
    : { userId: undefined, isAll: false }
}

/** Null where nobody is called that; undefined where nobody is named. */
async function findAuthor(hub: Hub, author: string | undefined): Promise<string | null | undefined> {
  if (author === undefined) return undefined
  return (await findNamespace(hub.database, author, undefined))?.namespaceId ?? null
}

function writeCursor({ key, repoId }: RepoPosition): string {
  return Buffer.from(JSON.stringify([key, repoId])).toString('base64url')
}

function parseCursor(cursor: string): RepoPosition {
  try {
    const [key, repoId]: unknown[] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (isNumber(key) && isNumber(repoId)) return { key, repoId }
  } catch {
    // Not one of ours.
  }
  throw new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
}

function isNumber(text: unknown): text is string {
  return typeof text === 'string' && /^\d{1,18}$/.test(text)
}
