/** Statements on the names of repositories: changed, given up, and shared by repositories of several types. */
import type { NamespaceId, Queryable, RepoId, StoredRole, UserId } from './queryable.ts'
import { heldRole, type RepoRow, type StoredName } from './repos.ts'

/**
 * Gives a repository another name or namespace, and notes the one it had; false when the new one is taken. A name that
 * another repository had before is this one's from then on.
 */
export async function updateRepoName(
  db: Queryable,
  repoId: RepoId,
  { namespaceId, name }: { namespaceId: NamespaceId; name: string },
): Promise<boolean> {
  // No `on conflict` for updates: the unique index stays the judge of races, and its SQLSTATE is the answer.
  try {
    await db.query(
      `with before as (
         select type, namespace_id, name from repos where id = $1 for update
       ), taken_over as (
         delete from former_repo_names f using before b
          where f.type = b.type and f.namespace_id = $2 and lower(f.name) = lower($3)
       ), noted as (
         insert into former_repo_names (type, namespace_id, name, repo_id)
         select type, namespace_id, name, $1 from before where namespace_id <> $2 or lower(name) <> lower($3)
         on conflict (type, namespace_id, lower(name)) do update set repo_id = $1, moved_at = now()
       )
       -- From 'before', so that the name is read before it is changed.
       update repos r set namespace_id = $2, name = $3, updated_at = now() from before where r.id = $1`,
      [repoId, namespaceId, name],
    )
    return true
  } catch (error) {
    if ((error as { code?: string }).code === '23505') return false
    throw error
  }
}

export interface NamesakeRow extends StoredName {
  visibility: RepoRow['visibility']
  /** The greatest role of whoever asks. */
  role: StoredRole | null
  /** It had the name, and has the one given here now. */
  isMoved: boolean
}

/** Repositories of that name and any type, and the one of its type that had the name before. */
export async function findNamesakes(
  db: Queryable,
  userId: UserId | undefined,
  { type, namespace, name }: StoredName,
): Promise<NamesakeRow[]> {
  return await db.query<NamesakeRow>(
    `with wanted as (select id from namespaces where lower(name) = lower($2)),
     named as (
       select r.id, false as is_moved from wanted w join repos r on r.namespace_id = w.id
        where r.type = any (array['model', 'dataset', 'space']) and lower(r.name) = lower($3)
       union all
       select f.repo_id, true from wanted w join former_repo_names f on f.namespace_id = w.id
        where f.type = $1 and lower(f.name) = lower($3)
     )
     select r.type, n.name as namespace, r.name, r.visibility, ${heldRole('$4::bigint')} as role,
            named.is_moved as "isMoved"
       from named
       join repos r on r.id = named.id
       join namespaces n on n.id = r.namespace_id`,
    [type, namespace, name, userId ?? null],
  )
}
