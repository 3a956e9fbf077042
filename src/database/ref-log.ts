/** Reads what refs once were. Lines are written by the transaction that moves refs. */
import type { Queryable, RepoId } from './queryable.ts'

/** Every object id (40 hex digits) that a ref of the repository held or left within the last `windowSeconds`. */
export async function listRetainedIds(db: Queryable, repoId: RepoId, windowSeconds: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select distinct encode(held.id, 'hex') as id
       from ref_log l, lateral (values (l.old_id), (l.new_id)) as held (id)
      where l.repo_id = $1 and l.at > now() - make_interval(secs => $2) and held.id is not null`,
    [repoId, windowSeconds],
  )
  return rows.map((row) => row.id)
}
