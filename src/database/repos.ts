/** Statements on repositories: by name with the asker's role, lists, and what their owners change. */
import type { NamespaceId, Queryable, RepoId, UserId } from './queryable.ts'
import type { RefRules } from './ref-rules.ts'

type StoredType = 'model' | 'dataset' | 'space'
type StoredVisibility = 'public' | 'private'

export interface RepoRow extends RefRules {
  id: RepoId
  namespaceId: NamespaceId
  type: StoredType
  namespace: string
  name: string
  visibility: StoredVisibility
  headTarget: string
  refsVersion: string
  packsVersion: string
  /** The size of the pack to clone from; null where there is none. */
  clonePackBytes: number | null
  createdAt: Date
  updatedAt: Date
}

/** Of tables `repos r` and `namespaces n`, as RepoRow names them. */
export const repoColumns = `
  r.id, r.namespace_id as "namespaceId", r.type, n.name as namespace, r.name, r.visibility,
  convert_from(r.head_target, 'LATIN1') as "headTarget", r.refs_version as "refsVersion",
  r.packs_version as "packsVersion",
  (select c.pack_bytes::float8 from packs c where c.repo_id = r.id and c.tier = 'clone') as "clonePackBytes", r.ref_rules as "refRules", r.ref_rules_version as "refRulesVersion",
  r.created_at as "createdAt", r.updated_at as "updatedAt"`

/** The greatest role that a user (an SQL expression) holds for `repos r`: as owner of the namespace, member or collaborator. */
export function heldRole(user: string): string {
  return `(
    select held.role
      from (select 'admin' as role where r.namespace_id = ${user}
            union all
            select m.role from organization_members m
             where m.organization_id = r.namespace_id and m.user_id = ${user}
            union all
            select c.role from collaborators c where c.repo_id = r.id and c.user_id = ${user}) held
     order by array_position(array['admin', 'write', 'read'], held.role)
     limit 1)`
}

export interface StoredName {
  type: StoredType
  namespace: string
  name: string
}

export interface NewRepo {
  namespaceId: NamespaceId
  type: StoredType
  name: string
  visibility: StoredVisibility
  createdBy: UserId | undefined
}

/** Stores an empty repository; undefined when the name is taken. */
export async function insertRepo(db: Queryable, repo: NewRepo): Promise<RepoRow | undefined> {
  const rows = await db.query<RepoRow>(
    `with r as (
       insert into repos (namespace_id, type, name, visibility, created_by)
       values ($1, $2, $3, $4, $5)
       on conflict (type, namespace_id, lower(name)) do nothing
       returning *
     ), taken_over as (
       -- From now on the name is this repository's, even once it is deleted.
       delete from former_repo_names f using r
        where f.type = r.type and f.namespace_id = r.namespace_id and lower(f.name) = lower(r.name)
     )
     select ${repoColumns} from r join namespaces n on n.id = r.namespace_id`,
    [repo.namespaceId, repo.type, repo.name, repo.visibility, repo.createdBy ?? null],
  )
  return rows[0]
}

export interface RepoFilter {
  /** Who asks; undefined sees public repositories only. */
  userId: UserId | undefined
  /** Sees every repository. */
  isAll: boolean
  type: StoredType | undefined
  namespace: string | undefined
  /** Part of `namespace/name`, whatever its case. */
  search: string | undefined
  /** Only repositories with an id below this one. */
  beforeId: string | undefined
  rowsMax: number
}

/** The repositories that somebody may read, newest first. */
export async function listRepos(db: Queryable, filter: RepoFilter): Promise<RepoRow[]> {
  return await db.query<RepoRow>(
    `select ${repoColumns}
       from repos r
       join namespaces n on n.id = r.namespace_id
      where ($2::boolean or r.visibility = 'public' or ${heldRole('$1::bigint')} is not null)
        and ($3::text is null or r.type = $3)
        and ($4::text is null or lower(n.name) = lower($4))
        and ($5::text is null or strpos(lower(n.name || '/' || r.name), lower($5)) > 0)
        and ($6::bigint is null or r.id < $6)
      order by r.id desc
      limit $7`,
    [
      filter.userId ?? null,
      filter.isAll,
      filter.type ?? null,
      filter.namespace ?? null,
      filter.search ?? null,
      filter.beforeId ?? null,
      filter.rowsMax,
    ],
  )
}

/** Makes a repository public or private. */
export async function updateVisibility(db: Queryable, repoId: RepoId, visibility: StoredVisibility): Promise<void> {
  await db.query('update repos set visibility = $2, updated_at = now() where id = $1', [repoId, visibility])
}

/** Locks the repository's row until the transaction ends; undefined when it is gone. */
export async function lockRepo(tx: Queryable, repoId: RepoId): Promise<{ refsVersion: string } | undefined> {
  const [row] = await tx.query<{ refsVersion: string }>(
    'select refs_version as "refsVersion" from repos where id = $1 for update',
    [repoId],
    'lock-repo',
  )
  return row
}

/** Deletes the row and all that belongs to it: refs, packs, grants, locks. */
export async function deleteRepoRow(db: Queryable, repoId: RepoId): Promise<void> {
  await db.query('delete from repos where id = $1', [repoId])
}

/**
 * Points HEAD at another branch (full name, latin1), in a repository that has the branch or has none at all; false
 * otherwise. The repository's row is to be locked.
 */
export async function updateHeadTarget(db: Queryable, repoId: RepoId, headTarget: string): Promise<boolean> {
  const rows = await db.query(
    `update repos
        set head_target = convert_to($2, 'LATIN1'), refs_version = refs_version + 1, updated_at = now()
      where id = $1
        and (exists (select from refs where repo_id = $1 and name = convert_to($2, 'LATIN1'))
             or not exists (select from refs where repo_id = $1 and name >= 'refs/heads/' and name < 'refs/heads0'))
      returning id`,
    [repoId, headTarget],
  )
  return rows.length > 0
}
