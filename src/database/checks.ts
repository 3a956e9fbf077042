/** Statements that `fsck` and `doctor` ask, and nobody else. */
import type { Queryable, RepoId } from './queryable.ts'

export interface DatabaseFacts {
  version: string
  connections: number
  connectionsMax: number
}

/** What PostgreSQL says about itself. */
export async function readDatabaseFacts(db: Queryable): Promise<DatabaseFacts> {
  const rows = await db.query<DatabaseFacts>(
    `select current_setting('server_version') as version,
            current_setting('max_connections')::int as "connectionsMax",
            (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections`,
  )
  return rows[0]
}

export interface LfsBytesRow {
  lfsOid: string
  sizeBytes: number
  key: string
}

const lfsColumns = `encode(o.oid, 'hex') as "lfsOid", o.size_bytes::float8 as "sizeBytes", o.key`

/** LFS objects behind `afterOid` (64 hex digits, or empty) in order; of one repository, or all that the instance holds. */
export async function listLfsBytes(
  db: Queryable,
  { repoId, afterOid, rowsMax }: { repoId: RepoId | undefined; afterOid: string; rowsMax: number },
): Promise<LfsBytesRow[]> {
  return await db.query<LfsBytesRow>(
    `select ${lfsColumns}
       from lfs_objects o
      where o.oid > decode($2, 'hex')
        and ($1::bigint is null or exists (select from lfs_grants g where g.repo_id = $1 and g.oid = o.oid))
      order by o.oid
      limit $3`,
    [repoId ?? null, afterOid, rowsMax],
  )
}
