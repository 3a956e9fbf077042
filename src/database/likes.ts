/** Who likes which repository. The count stands beside it (`repo_counts`), so that lists are sorted by an index. */
import type { Queryable, RepoId, UserId } from './queryable.ts'
import { type Reader, readableBy } from './readable-repos.ts'

/** Notes that the user likes the repository; once however often they say so. */
export async function insertLike(db: Queryable, repoId: RepoId, userId: UserId): Promise<void> {
  await db.query(
    `with given as (
       insert into likes (repo_id, user_id) values ($1, $2) on conflict do nothing returning repo_id
     )
     update repo_counts set likes = likes + 1, trending = trending + 1 where repo_id in (select repo_id from given)`,
    [repoId, userId],
  )
}

/** Takes the like back, if there is one. */
export async function deleteLike(db: Queryable, repoId: RepoId, userId: UserId): Promise<void> {
  await db.query(
    `with taken as (
       delete from likes where repo_id = $1 and user_id = $2 returning repo_id, liked_at
     )
     update repo_counts c
        set likes = c.likes - 1,
            trending = greatest(0, c.trending - (t.liked_at > now() - interval '7 days')::int)
       from taken t
      where c.repo_id = t.repo_id`,
    [repoId, userId],
  )
}

export interface LikerRow {
  userId: string
  user: string
}

/** Who likes the repository, in the order of their accounts, behind `afterId`. */
export async function listLikers(
  db: Queryable,
  { repoId, afterId, rowsMax }: { repoId: RepoId; afterId: string; rowsMax: number },
): Promise<LikerRow[]> {
  return await db.query<LikerRow>(
    `select l.user_id as "userId", n.name as user
       from likes l join namespaces n on n.id = l.user_id
      where l.repo_id = $1 and l.user_id > $2
      order by l.user_id
      limit $3`,
    [repoId, afterId, rowsMax],
  )
}

export interface LikeRow {
  repoId: string
  type: string
  name: string
  likedAt: Date
  /** Microseconds since 1970: where the list goes on. */
  position: string
}

/** What a user likes of what the reader may read, latest first, behind `position` (`likedAt`, repository). */
export async function listLikes(
  db: Queryable,
  { userId, reader, after, rowsMax }: { userId: UserId; reader: Reader; after: [string, string]; rowsMax: number },
): Promise<LikeRow[]> {
  return await db.query<LikeRow>(
    `select r.id as "repoId", r.type, n.name || '/' || r.name as name, l.liked_at as "likedAt",
       (extract(epoch from l.liked_at) * 1000000)::bigint::text as position
       from likes l
       join repos r on r.id = l.repo_id
       join namespaces n on n.id = r.namespace_id
      where l.user_id = $1 and (l.liked_at, l.repo_id) < (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3::bigint) and ${readableBy('$4', '$5')}
      order by l.liked_at desc, l.repo_id desc
      limit $6`,
    [userId, ...after, reader.userId ?? null, reader.isAll, rowsMax],
  )
}

/** Counts likes of the last seven days anew where there were some. */
export async function refreshTrending(db: Queryable): Promise<void> {
  await db.query(
    `update repo_counts c set trending = n.recent
       from (select t.repo_id, (select count(*) from likes l
                                 where l.repo_id = t.repo_id and l.liked_at > now() - interval '7 days') as recent
               from repo_counts t
              where t.trending > 0) n
      where c.repo_id = n.repo_id and c.trending <> n.recent`,
  )
}
