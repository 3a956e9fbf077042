/** The one way to a repository: by its name, for somebody, for a purpose. */
import { type AccessAnswer, lookUpAccess } from '../database/access-lookups.ts'
import { HoldfastError } from '../errors.ts'
import { type Access, allows, decideAccess } from './access.ts'
import { acceptBearer, authenticateWithoutToken, tokenIn } from './authenticate.ts'
import { type Credentials, hashToken } from './credentials.ts'
import type { Hub } from './hub.ts'
import { type Actor, type Principal, type Role, roles, type UserPrincipal } from './principal.ts'
import { type Repo, type RepoName, repoPath } from './repo.ts'

/**
 * The repository of that name, if `actor` may do with it what is demanded; read fresh, in one query.
 *
 * Throws RepoNotFound where it does not exist and, in the same words, where the actor may not read it
 * (details.anonymous: signing in could help); CredentialsMissing where an anonymous caller may read but wants more;
 * AccessDenied where a user may read but wants more.
 */
export async function openRepo(hub: Hub, actor: Actor, name: RepoName, demanded: Role): Promise<Repo> {
  const userId = actor.kind === 'user' ? actor.userId : undefined
  const { found } = await lookUpAccess(hub.database, { userId, name })
  return admit(actor, name, found, demanded)
}

/** A repository as somebody finds it: with the role that they hold for it. */
export type FoundRepo = AccessAnswer['found']

/**
 * Who sends `credentials` from `address`, and what they find under `name`: in one query where they hold a token. Throws as
 * `authenticate`; whether they may do anything with it is for `admit` to say.
 */
export async function findRepoWith(
  hub: Hub,
  { credentials, address }: { credentials: Credentials; address: string },
  name: RepoName,
): Promise<{ principal: Principal; found: FoundRepo }> {
  const token = tokenIn(credentials)
  if (token !== undefined) {
    const { bearer, found } = await lookUpAccess(hub.database, { secretSha256: hashToken(token), name })
    return { principal: await acceptBearer(hub, bearer, address), found }
  }
  const principal = await authenticateWithoutToken(hub, credentials, address)
  const userId = principal.kind === 'user' ? principal.userId : undefined
  return { principal, found: (await lookUpAccess(hub.database, { userId, name })).found }
}

/** The repository that `actor` found under `name`, if they may do with it what is demanded. Throws as `openRepo`. */
export function admit(actor: Actor, name: RepoName, found: FoundRepo, demanded: Role): Repo {
  if (actor.kind === 'operator') {
    if (found === undefined) throw repoNotFound(name, false)
    return { ...found.repo, access: 'admin' }
  }
  const access = found === undefined ? 'none' : decideAccess(actor, found.repo, found.role)
  if (found === undefined || access === 'none') throw repoNotFound(name, actor.kind === 'anonymous')
  if (!allows(access, demanded)) throw tooLittle(actor, found.repo, access, demanded, found.role)
  return { ...found.repo, access }
}

function repoNotFound(name: RepoName, isAnonymous: boolean): HoldfastError {
  return new HoldfastError('RepoNotFound', {
    message: `Repository not found: ${repoPath(name)}`,
    details: { anonymous: isAnonymous },
  })
}

function tooLittle(
  principal: Principal,
  repo: Omit<Repo, 'access'>,
  access: Access,
  demanded: Role,
  role: Role | undefined,
): HoldfastError {
  if (principal.kind === 'anonymous') {
    return new HoldfastError('CredentialsMissing', {
      message: `Sign in with ${demanded} access to ${repoPath(repo)} to do this.`,
    })
  }
  const enough = roles.find((of) => allows(decideAccess({ ...principal, role: of }, repo, role), demanded))
  return new HoldfastError('AccessDenied', {
    message: enough
      ? tokenTooWeak(principal, enough, `for ${repoPath(repo)}`)
      : `This needs ${demanded} access to ${repoPath(repo)}, and yours is ${access}.`,
  })
}

/** The sentence for somebody whose own role would do, but whose token's does not. */
export function tokenTooWeak(principal: UserPrincipal, demanded: Role, purpose: string): string {
  return `This needs a token of the role ${demanded} ${purpose}, and the role of the token "${principal.tokenName}" is ${principal.role}.`
}
