/** Statements on collaborators: users with a role for one repository. */
import type { Queryable, RepoId, StoredRole, UserId } from './queryable.ts'

export interface CollaboratorRow {
  userId: UserId
  name: string
  role: StoredRole
}

/** Adds a collaborator or changes the role of one. */
export async function upsertCollaborator(
  db: Queryable,
  { repoId, userId, role }: { repoId: RepoId; userId: UserId; role: StoredRole },
): Promise<void> {
  await db.query(
    `insert into collaborators (repo_id, user_id, role) values ($1, $2, $3)
     on conflict (repo_id, user_id) do update set role = excluded.role`,
    [repoId, userId, role],
  )
}

/** Removes a collaborator; one that is gone already is no error. */
export async function deleteCollaborator(db: Queryable, repoId: RepoId, userId: UserId): Promise<void> {
  await db.query('delete from collaborators where repo_id = $1 and user_id = $2', [repoId, userId])
}

/** All collaborators of a repository by name. */
export async function listCollaborators(db: Queryable, repoId: RepoId): Promise<CollaboratorRow[]> {
  return await db.query<CollaboratorRow>(
    `select c.user_id as "userId", n.name, c.role
       from collaborators c
       join namespaces n on n.id = c.user_id
      where c.repo_id = $1
      order by lower(n.name)`,
    [repoId],
  )
}
