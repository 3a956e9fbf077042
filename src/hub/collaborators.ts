/** Who else may work on one repository. Callers opened the repository with admin access. */
import {
  type CollaboratorRow,
  deleteCollaborator,
  listCollaborators,
  upsertCollaborator,
} from '../database/collaborators.ts'
import { getUser } from './accounts.ts'
import type { Hub } from './hub.ts'
import type { Role } from './principal.ts'
import type { Repo } from './repo.ts'

/** Adds a collaborator, changes their role, or (role undefined) removes them. Throws AccountNotFound. */
export async function setCollaborator(hub: Hub, repo: Repo, userName: string, role: Role | undefined): Promise<void> {
  const { userId } = await getUser(hub, userName)
  if (role === undefined) await deleteCollaborator(hub.database, repo.id, userId)
  else await upsertCollaborator(hub.database, { repoId: repo.id, userId, role })
}

/** The collaborators by name. */
export async function listCollaboratorsOf(hub: Hub, repo: Repo): Promise<CollaboratorRow[]> {
  return await listCollaborators(hub.database, repo.id)
}
