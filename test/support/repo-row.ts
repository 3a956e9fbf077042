/** A user and a repository as bare rows, for tests of what hangs on them. */
import type { Queryable, RepoId, UserId } from '../../src/database/queryable.ts'

export interface RepoRow {
  repoId: RepoId
  userId: UserId
}

export async function insertRepoRow(db: Queryable, name = 'repo'): Promise<RepoRow> {
  const [row] = await db.query<RepoRow>(
    `with owner as (insert into namespaces (name, kind) values ($1 || '-owner', 'user') returning id),
       account as (insert into users (id) select id from owner returning id)
     insert into repos (namespace_id, type, name, visibility, created_by)
     select id, 'model', $1, 'public', id from account
     returning id as "repoId", created_by as "userId"`,
    [name],
  )
  return row
}
