/** The one decision "what may this principal do with this repository" (design law 4). Pure: facts in, answer out. */
import { type Principal, type Role, roles } from './principal.ts'
import type { Repo } from './repo.ts'

export type Access = 'none' | Role

/** What a route demands: `public` asks for nothing, `account` for a signed-in user, the rest for that access to its repository. */
export type RouteAccess = 'public' | 'account' | Role

const ascending: readonly Access[] = ['none', ...roles]

/**
 * The access of `principal` to `repo`. `role` is the greatest role the user holds for it: as owner of the namespace
 * (admin), as member of the organization, or as collaborator; undefined for none. As on the Hub, a token that may write may
 * do with a repository whatever its user may, delete it included; what only a site admin may asks for a token of that role.
 */
export function decideAccess(principal: Principal, repo: Pick<Repo, 'visibility'>, role: Role | undefined): Access {
  const open: Access = repo.visibility === 'public' ? 'read' : 'none'
  if (principal.kind === 'anonymous') return open
  const held = role ?? 'none'
  const own = principal.role === 'read' ? lower(held, 'read') : held
  return higher(open, higher(own, principal.isAdmin ? principal.role : 'none'))
}

/** True where `access` is enough for what is demanded: each role includes the lower ones. */
export function allows(access: Access, demanded: Role): boolean {
  return rankOf(access) >= rankOf(demanded)
}

function higher(a: Access, b: Access): Access {
  return rankOf(a) >= rankOf(b) ? a : b
}

function lower(a: Access, b: Access): Access {
  return rankOf(a) <= rankOf(b) ? a : b
}

function rankOf(access: Access): number {
  return ascending.indexOf(access)
}
