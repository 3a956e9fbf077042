/**
 * Lists of repositories: filtered, sorted, a page at a time. Each sort is the order of an index and the next page begins
 * behind the last row, so that any page costs as much as the first.
 */
import type { Queryable, RepoId } from './queryable.ts'
import { type Reader, readableBy } from './readable-repos.ts'
import { countColumns, metadataColumns, type RepoCountsRow, type RepoMetadataRow } from './repo-metadata.ts'

/** What a list can be sorted by: the column, what it reads in a cursor, and back. Equal ones are in the order of their ids. */
const sorts = {
  createdAt: { column: 'r.id' },
  // Exact, and without a time zone.
  lastModified: {
    column: 'm.last_modified',
    write: (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint`,
    read: (key: string) => `timestamptz 'epoch' + ${key} * interval '1 microsecond'`,
  },
  downloads: { column: 'c.downloads' },
  likes: { column: 'c.likes' },
  trendingScore: { column: 'c.trending' },
} satisfies Record<string, SortColumn>

interface SortColumn {
  column: string
  write?(column: string): string
  read?(key: string): string
}

export type RepoSort = keyof typeof sorts

/** Where a page ended: the value that it is sorted by, and the repository. */
export interface RepoPosition {
  /** A number. */
  key: string
  repoId: string
}

export interface RepoQuestion {
  reader: Reader
  type: 'model' | 'dataset' | 'space'
  namespaceId: string | undefined
  /** Parts of `namespace/name`, whatever their case: all of them. */
  words: readonly string[]
  /** All of them. */
  tags: readonly string[]
  pipelineTag: string | undefined
  /** How many parameters a model has. */
  parameters: { min: number | undefined; max: number | undefined }
  sort: RepoSort
  isAscending: boolean
  after: RepoPosition | undefined
  rowsMax: number
  /** Whether the rows come with facts and names of files. */
  isDetailed: boolean
}

export interface ListedRepoRow extends RepoMetadataRow, RepoCountsRow, RepoPosition {
  repoId: RepoId
  namespace: string
  name: string
  visibility: 'public' | 'private'
  createdAt: Date
  tags: string[]
  pipelineTag: string | null
  libraryName: string | null
  files: string[] | null
}

/** A page. Repositories that the reader may not read are not in it. */
export async function listReposBy(db: Queryable, question: RepoQuestion): Promise<ListedRepoRow[]> {
  const { isAscending, isDetailed } = question
  const values = new Values()
  const direction = isAscending ? 'asc' : 'desc'
  // Nothing has a name with two slashes.
  if (question.words.some((word) => word.split('/').length > 2)) return []
  const words = await Promise.all(question.words.map((word) => findNamespaces(db, word)))
  const { write = (column) => column }: SortColumn = sorts[question.sort]
  const page = selectPage({ ...question, ...(await narrowTags(db, question.tags)) }, words, values)
  // Wide columns are read of the page alone.
  return await db.query<ListedRepoRow>(
    `with page as materialized (${page})
     select r.id as "repoId", ${write('p.key')}::text as key, n.name as namespace, r.name, r.visibility, r.created_at as "createdAt",
       m.tags, m.pipeline_tag as "pipelineTag", m.library_name as "libraryName",
       ${isDetailed ? `${metadataColumns}, m.files` : plainMetadataColumns}, ${countColumns}
     from page p
     join repos r on r.id = p.id
     join namespaces n on n.id = r.namespace_id
     join repo_metadata m on m.repo_id = p.id
     join repo_counts c on c.repo_id = p.id
     order by p.key ${direction}, p.id ${direction}`,
    values.list,
  )
}

const plainMetadataColumns = `encode(m.commit_id, 'hex') as "commitId", m.last_modified as "lastModified", null as facts,
  null as files`

interface NarrowedQuestion extends RepoQuestion {
  /** Those that have all tags, where they are few. */
  ids?: readonly string[]
}

const fewMax = 5_000

/**
 * The planner takes tags for independent of each other, and would walk through everything for two that nothing has
 * together. So several are looked up by themselves first.
 */
async function narrowTags(db: Queryable, tags: readonly string[]): Promise<{ tags?: string[]; ids?: string[] }> {
  if (tags.length < 2) return {}
  const rows = await db.query<{ id: string }>('select repos_with_tags($1, $2) as id', [tags, fewMax + 1])
  return rows.length > fewMax ? {} : { tags: [], ids: rows.map(({ id }) => id) }
}

function selectPage(question: NarrowedQuestion, words: readonly SearchWord[], values: Values): string {
  const { sort, isAscending, after, rowsMax } = question
  const { column: key, read = (text) => text }: SortColumn = sorts[sort]
  const direction = isAscending ? 'asc' : 'desc'
  const table = key[0]
  const conditions = [`${table}.type = ${values.add(question.type)}`, ...conditionsOf(question, values)]
  conditions.push(...words.map((word) => containing(word, values)))
  const id = table === 'r' ? 'r.id' : `${table}.repo_id`
  if (after !== undefined) {
    const position = `(${read(`${values.add(after.key)}::bigint`)}, ${values.add(after.repoId)}::bigint)`
    conditions.push(`(${key}, ${id}) ${isAscending ? '>' : '<'} ${position}`)
  }
  return `
    select r.id, ${key} as key
    from repos r
    join repo_metadata m on m.repo_id = r.id
    join repo_counts c on c.repo_id = r.id
    where ${conditions.join(' and ')}
    order by ${key} ${direction}, ${id} ${direction}
    limit ${values.add(rowsMax)}`
}

function conditionsOf(question: NarrowedQuestion, values: Values): string[] {
  const { reader, namespaceId, tags, ids, pipelineTag, parameters } = question
  const conditions: string[] = []
  if (!reader.isAll) conditions.push(readableBy(values.add(reader.userId ?? null), values.add(false)))
  if (namespaceId !== undefined) conditions.push(`r.namespace_id = ${values.add(namespaceId)}`)
  if (tags.length > 0) conditions.push(`m.tags @> ${values.add(tags)}::text[]`)
  if (ids !== undefined) conditions.push(`r.id = any (${values.add(ids)}::bigint[])`)
  if (pipelineTag !== undefined) conditions.push(`m.pipeline_tag = ${values.add(pipelineTag)}`)
  if (parameters.min !== undefined) conditions.push(`m.parameter_count >= ${values.add(parameters.min)}`)
  if (parameters.max !== undefined) conditions.push(`m.parameter_count <= ${values.add(parameters.max)}`)
  return conditions
}

/** `namespace/name` holds the word in one of its parts, or where they meet. */
function containing({ pattern, isName, namespacePattern, namespaceIds }: SearchWord, values: Values): string {
  const nameLike = `lower(r.name) like ${values.add(pattern)}`
  // Without the alternative where there is none: the planner would count with it.
  if (isName && namespaceIds?.length === 0) return nameLike
  const namespaces =
    namespaceIds === undefined
      ? `r.namespace_id in (select id from namespaces where lower(name) like ${values.add(namespacePattern)})`
      : `r.namespace_id = any (${values.add(namespaceIds)}::bigint[])`
  return `(${nameLike} ${isName ? 'or' : 'and'} ${namespaces})`
}

/** A word, and the namespaces whose names hold their part of it: known before, so that the planner knows how many they are. */
interface SearchWord {
  /** Of the repository's name. */
  pattern: string
  /** The name alone may hold the word. */
  isName: boolean
  namespacePattern: string
  /** Undefined where they are many. */
  namespaceIds: string[] | undefined
}

async function findNamespaces(db: Queryable, word: string): Promise<SearchWord> {
  const [before, after] = word.toLowerCase().split('/').map(escapePattern)
  const isName = after === undefined
  const namespacePattern = isName ? `%${before}%` : `%${before}`
  const rows = await db.query<{ id: string }>('select id from namespaces where lower(name) like $1 limit $2', [
    ...[namespacePattern, fewMax + 1],
  ])
  const namespaceIds = rows.length > fewMax ? undefined : rows.map(({ id }) => id)
  return { pattern: isName ? `%${before}%` : `${after}%`, isName, namespacePattern, namespaceIds }
}

function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/** The values of a statement's parameters, numbered as they are added. */
class Values {
  readonly list: unknown[] = []

  add(value: unknown): string {
    this.list.push(value)
    return `$${this.list.length}`
  }
}
