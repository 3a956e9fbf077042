/** Reads what refs once were. Lines are written by the transaction that moves refs. */
import type { Queryable, RepoId } from './queryable.ts'

/** A ref (its name in latin1) and an id of 40 hex digits that it held or left. */
export interface RetainedId {
  name: string
  id: string
}

/** Every object id that a ref of the repository held or left within the last `windowSeconds`. */
export async function listRetainedIds(db: Queryable, repoId: RepoId, windowSeconds: number): Promise<RetainedId[]> {
  return await db.query<RetainedId>(
    `select distinct convert_from(l.name, 'LATIN1') as name, encode(held.id, 'hex') as id
       from ref_log l, lateral (values (l.old_id), (l.new_id)) as held (id)
      where l.repo_id = $1 and l.at > now() - make_interval(secs => $2) and held.id is not null`,
    [repoId, windowSeconds],
  )
}
