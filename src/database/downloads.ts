/** Counts of downloads: by day for the last thirty days, and their sums, by which lists are sorted. */
import type { Queryable, RepoId } from './queryable.ts'

/** Adds what was counted since the last time. What has been deleted meanwhile is passed over. */
export async function addDownloads(db: Queryable, counts: ReadonlyMap<RepoId, number>): Promise<void> {
  // In the order of their ids, so that two servers wait for each other instead of deadlocking.
  await db.query(
    `with counted as materialized (
       select c.repo_id, c.downloads, r.type
         from unnest($1::bigint[], $2::bigint[]) as c (repo_id, downloads)
         join repos r on r.id = c.repo_id
        order by c.repo_id
     ), by_day as (
       insert into repo_downloads as d (repo_id, day, downloads)
       select repo_id, (now() at time zone 'utc')::date, downloads from counted
       on conflict (repo_id, day) do update set downloads = d.downloads + excluded.downloads
     )
     insert into repo_counts as s (repo_id, type, downloads, downloads_all_time)
     select repo_id, type, downloads, downloads from counted
     on conflict (repo_id) do update
       set downloads = s.downloads + excluded.downloads,
           downloads_all_time = s.downloads_all_time + excluded.downloads_all_time`,
    [[...counts.keys()], [...counts.values()]],
  )
}

/** Takes days that are more than thirty days past out of the sums. */
export async function expireDownloads(db: Queryable): Promise<void> {
  await db.query(
    `with expired as (
       delete from repo_downloads where day < (now() at time zone 'utc')::date - 30 returning repo_id, downloads
     ), sums as (
       select repo_id, sum(downloads) as downloads from expired group by repo_id
     )
     update repo_counts c set downloads = c.downloads - s.downloads from sums s where c.repo_id = s.repo_id`,
  )
}
