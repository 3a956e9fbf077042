/** What was read of repositories' files, a row each (hub/repo-metadata.ts), and how often they are downloaded and liked. */
import type { Queryable, RepoId } from './queryable.ts'
import { type RepoRow, repoColumns } from './repos.ts'

/** What the row says of the repository at `commitId`. */
export interface RepoMetadataRow {
  /** 40 hex digits; null where nothing was read yet. */
  commitId: string | null
  lastModified: Date
  /** As it was stored. */
  facts: unknown
}

export interface RepoCountsRow {
  /** Within the last 30 days. */
  downloads: number
  downloadsAllTime: number
  likes: number
  /** Likes within the last 7 days. */
  trending: number
}

/** Of `repo_counts c`, as RepoCountsRow names them. */
export const countColumns = `
  c.downloads::float8 as downloads, c.downloads_all_time::float8 as "downloadsAllTime", c.likes::float8 as likes,
  c.trending::float8 as trending`

/** Of `repo_metadata m`, as RepoMetadataRow names them. */
export const metadataColumns = `encode(m.commit_id, 'hex') as "commitId", m.last_modified as "lastModified", m.facts`

/** Undefined where the repository is gone. */
export async function readRepoMetadata(
  db: Queryable,
  repoId: RepoId,
): Promise<(RepoMetadataRow & RepoCountsRow) | undefined> {
  const [row] = await db.query<RepoMetadataRow & RepoCountsRow>(
    `select ${metadataColumns}, ${countColumns}
       from repo_metadata m
       join repo_counts c on c.repo_id = m.repo_id
      where m.repo_id = $1`,
    [repoId],
    'read-repo-metadata',
  )
  return row
}

export interface NewRepoMetadata {
  commitId: string | undefined
  /** At which that was the newest commit of the default branch. */
  refsVersion: string
  lastModified: Date
  facts: object
  files: readonly string[] | undefined
  tags: readonly string[]
  pipelineTag: string | undefined
  libraryName: string | undefined
  license: string | undefined
  parameterCount: number | undefined
}

/** Replaces what is known, unless that was read at a later version. */
export async function storeRepoMetadata(db: Queryable, repoId: RepoId, metadata: NewRepoMetadata): Promise<void> {
  await db.query(
    `update repo_metadata
        set commit_id = $2, refs_version = $3, last_modified = $4, facts = $5, files = $6, tags = $7,
            pipeline_tag = $8, library_name = $9, license = $10, parameter_count = $11
      where repo_id = $1 and refs_version <= $3`,
    [
      repoId,
      metadata.commitId === undefined ? null : Buffer.from(metadata.commitId, 'hex'),
      metadata.refsVersion,
      metadata.lastModified,
      withoutNul(JSON.stringify(metadata.facts)),
      metadata.files?.map(withoutNul) ?? null,
      metadata.tags.map(withoutNul),
      metadata.pipelineTag === undefined ? null : withoutNul(metadata.pipelineTag),
      metadata.libraryName === undefined ? null : withoutNul(metadata.libraryName),
      metadata.license === undefined ? null : withoutNul(metadata.license),
      metadata.parameterCount ?? null,
    ],
  )
}

/** The one character that PostgreSQL's text cannot hold, and halves of characters, which UTF-8 cannot. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** The repository's row, by its id; undefined once it is deleted. */
export async function findRepoById(db: Queryable, repoId: RepoId): Promise<RepoRow | undefined> {
  const [row] = await db.query<RepoRow>(
    `select ${repoColumns} from repos r join namespaces n on n.id = r.namespace_id where r.id = $1`,
    [repoId],
  )
  return row
}

/** What the repository's LFS objects and packs take, in bytes. */
export async function sumStorage(db: Queryable, repoId: RepoId): Promise<number> {
  const [{ bytes }] = await db.query<{ bytes: number }>(
    `select (
       coalesce((select sum(o.size_bytes) from lfs_grants g join lfs_objects o on o.oid = g.oid where g.repo_id = $1), 0)
       + coalesce((select sum(p.pack_bytes) from packs p where p.repo_id = $1), 0)
     )::float8 as bytes`,
    [repoId],
    'sum-storage',
  )
  return bytes
}
