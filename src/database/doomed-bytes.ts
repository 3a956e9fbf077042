/** Deletes last: keys whose rows are gone, until nobody can still be reading their bytes and a job has deleted them. */
import type { Queryable } from './queryable.ts'

/** Notes keys for deletion in `graceSeconds`, when `tx` commits. A key that is noted already keeps its time. */
export async function doomBytes(tx: Queryable, keys: readonly string[], graceSeconds: number): Promise<void> {
  await tx.query(
    `insert into doomed_bytes (key, delete_after)
     select distinct key, now() + make_interval(secs => $2) from unnest($1::text[]) as key
     on conflict (key) do nothing`,
    [keys, graceSeconds],
  )
}

/**
 * Up to `max` keys whose time has come, oldest first. They stay noted until `forgetDoomedBytes`, so that a crash between
 * the two only deletes them once more.
 */
export async function listDoomedBytes(db: Queryable, max: number): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    'select key from doomed_bytes where delete_after <= now() order by delete_after, key limit $1',
    [max],
  )
  return rows.map(({ key }) => key)
}

/** To be called once the bytes are deleted. */
export async function forgetDoomedBytes(db: Queryable, keys: readonly string[]): Promise<void> {
  await db.query('delete from doomed_bytes where key = any($1::text[])', [keys])
}
