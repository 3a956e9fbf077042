/** Where somebody may find what they looked for under a name that no repository of that type has. */
import { findNamesakes } from '../database/repo-names.ts'
import { decideAccess } from './access.ts'
import type { Hub } from './hub.ts'
import type { Principal } from './principal.ts'
import type { RepoName } from './repo.ts'

export interface Namesakes {
  /** The repository that had the name, by its present one. */
  moved: RepoName | undefined
  /** Repositories of other types that have it. */
  others: RepoName[]
}

/** Only what `principal` may read: to anybody else the rest does not exist. */
export async function lookForNamesakes(hub: Hub, principal: Principal, name: RepoName): Promise<Namesakes> {
  const userId = principal.kind === 'user' ? principal.userId : undefined
  const rows = await findNamesakes(hub.database, userId, name)
  const readable = rows.filter((row) => decideAccess(principal, row, row.role ?? undefined) !== 'none')
  return {
    moved: readable.find(({ isMoved }) => isMoved),
    others: readable.filter(({ isMoved, type }) => !isMoved && type !== name.type),
  }
}
