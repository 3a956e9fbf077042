/**
 * Access is declared on the route and decided before the body is read (design law 4): a route without `config.access`
 * refuses to boot; on a route of a repository whoever asks and the repository are looked up together, and it stands in
 * `request.repo` from then on.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HoldfastError } from '../errors.ts'
import type { RouteAccess } from '../hub/access.ts'
import type { Hub } from '../hub/hub.ts'
import { admit, findRepoWith } from '../hub/open-repo.ts'
import { type Role, roles } from '../hub/principal.ts'
import type { Repo, RepoName, RepoType } from '../hub/repo.ts'
import { readCredentials } from './authentication.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route demands; a function where that depends on the query. Mandatory. */
    access?: RouteAccess | ((request: FastifyRequest) => RouteAccess)
    /** Set by `repoRoute`: the type of the repository that the route's path names. */
    repoType?: RepoType
  }
  interface FastifyRequest {
    /** The repository that the path names. Only on routes made by `repoRoute` and `apiRepoRoute`. */
    repo: Repo
  }
}

/** Adds the decision to every route registered after it. */
export function decideAccessOnRoutes(server: FastifyInstance, hub: Hub): void {
  server.decorateRequest('repo')
  server.addHook('onRoute', (route) => {
    const access = route.config?.access
    if (access === undefined) throw new Error(`The route ${String(route.method)} ${route.url} declares no access.`)
    if (isRepoAccess(access) && route.config?.repoType === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} demands ${access}, but names no repository.`)
    }
  })
  server.addHook('onRequest', async (request) => {
    if (request.is404) return
    const { access: declared, repoType } = request.routeOptions.config
    const access = typeof declared === 'function' ? declared(request) : declared!
    if (access === 'account' && request.principal.kind === 'anonymous') throw new HoldfastError('CredentialsMissing')
    if (repoType === undefined) return
    if (!isRepoAccess(access)) throw new Error(`${request.routeOptions.url} names a repository, but demands ${access}.`)
    const name = repoNameOf(request, repoType)
    const caller = { credentials: readCredentials(request.headers.authorization), address: request.ip }
    const { principal, found } = await findRepoWith(hub, caller, name)
    request.principal = principal
    request.repo = admit(principal, name, found, access)
  })
}

function isRepoAccess(access: unknown): access is Role {
  return roles.some((role) => role === access)
}

/** Git clients may write `.git` behind the name, or leave it out. */
function repoNameOf(request: FastifyRequest, type: RepoType): RepoName {
  const { namespace, repo } = request.params as { namespace: string; repo: string }
  return { type, namespace, name: repo.endsWith('.git') ? repo.slice(0, -4) : repo }
}
