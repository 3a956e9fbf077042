/** Statements that tell bytes which no row names, and rows whose time is over. */
import type { Queryable } from './queryable.ts'

/** How many keys are noted for deletion, due now and later. */
export async function countDoomedBytes(db: Queryable): Promise<{ dueKeys: number; laterKeys: number }> {
  const rows = await db.query<{ dueKeys: number; laterKeys: number }>(
    `select count(*) filter (where delete_after <= now())::int as "dueKeys",
            count(*) filter (where delete_after > now())::int as "laterKeys"
       from doomed_bytes`,
  )
  return rows[0]
}

/**
 * Those of `keys`, each with the id of its pack, that belong to no pack and are not noted for deletion either: a noted key
 * keeps its own time, as somebody may still be reading it.
 */
export async function findOrphanPackKeys(
  db: Queryable,
  keys: readonly string[],
  packIds: readonly string[],
): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    `select k.key
       from unnest($1::text[], $2::uuid[]) as k (key, pack_id)
      where not exists (select from packs p where p.id = k.pack_id)
        and not exists (select from doomed_bytes d where d.key = k.key)`,
    [keys, packIds],
  )
  return rows.map(({ key }) => key)
}

/** Those of `keys` that no LFS object names and that are not noted for deletion either. */
export async function findOrphanLfsKeys(db: Queryable, keys: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    `select k.key
       from unnest($1::text[]) as k (key)
      where not exists (select from lfs_objects o where o.key = k.key)
        and not exists (select from doomed_bytes d where d.key = k.key)`,
    [keys],
  )
  return rows.map(({ key }) => key)
}
