/** The one decision "what may this principal do with this repository" (design law 4). Pure: facts in, answer out. */
import type { Principal, Role } from './principal.ts'
import type { Repo } from './repo.ts'

export type Access = 'none' | 'read' | 'write' | 'admin'

/** What a route demands: `public` asks for nothing, `account` for a signed-in user, the rest for that access to its repository. */
export type RouteAccess = 'public' | 'account' | 'read' | 'write' | 'admin'

const ranks: Record<Access, number> = { none: 0, read: 1, write: 2, admin: 3 }

/**
 * The access of `principal` to `repo`. `role` is the greatest role the user holds for it: as owner of the namespace
 * (admin), as member of the organization, or as collaborator; undefined for none.
 */
export function decideAccess(principal: Principal, repo: Pick<Repo, 'visibility'>, role: Role | undefined): Access {
  const open: Access = repo.visibility === 'public' ? 'read' : 'none'
  if (principal.kind === 'anonymous') return open
  const held: Access = principal.isAdmin ? 'admin' : (role ?? 'none')
  return higher(open, lower(held, principal.role))
}

export function allows(access: Access, demanded: 'read' | 'write' | 'admin'): boolean {
  return ranks[access] >= ranks[demanded]
}

function higher(a: Access, b: Access): Access {
  return ranks[a] >= ranks[b] ? a : b
}

function lower(a: Access, b: Access): Access {
  return ranks[a] <= ranks[b] ? a : b
}
