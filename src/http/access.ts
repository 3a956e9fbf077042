/**
 * Access is declared on the route and decided before the body is read (design law 4): a route without `config.access`
 * refuses to boot; on a route of a repository whoever asks and the repository are looked up together, and it stands in
 * `request.repo` from then on.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HoldfastError } from '../errors.ts'
import { decideAccess, type RouteAccess } from '../hub/access.ts'
import type { Hub } from '../hub/hub.ts'
import { lookForNamesakes } from '../hub/namesakes.ts'
import { admit, findRepoWith } from '../hub/open-repo.ts'
import { type Role, roles } from '../hub/principal.ts'
import { type Repo, type RepoName, type RepoType, repoPath } from '../hub/repo.ts'
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
    // What may not be read is answered as if it were not there, with the same hints.
    const isThere = found !== undefined && decideAccess(principal, found.repo, found.role) !== 'none'
    if (!isThere) await sendOn(hub, request, name)
    request.repo = admit(principal, name, found, access)
  })
}

/** Throws RepoMoved where a repository had the name, RepoNotFound with a hint where one of another type has it. */
async function sendOn(hub: Hub, request: FastifyRequest, name: RepoName): Promise<void> {
  const { moved, others } = await lookForNamesakes(hub, request.principal, name)
  if (moved !== undefined) {
    const message = `This repository is called ${repoPath(moved)} now.`
    throw new HoldfastError('RepoMoved', { message, details: { location: locationOf(request, moved) } })
  }
  if (others.length === 0) return
  const hints = others.map((other) => `a ${other.type} of this name (repo_type="${other.type}")`)
  throw new HoldfastError('RepoNotFound', {
    message: `Repository not found: ${repoPath(name)}. There is ${hints.join(' and ')}.`,
    details: { anonymous: request.principal.kind === 'anonymous' },
  })
}

/** The same address under the repository's present name; relative, as some clients follow nothing else. */
function locationOf(request: FastifyRequest, { namespace, name }: RepoName): string {
  const segments = request.raw.url!.split('/')
  const at = request.routeOptions.url!.split('/').indexOf(':namespace')
  // The repository's segment may be the last one, with the query behind it.
  const behind = /(\.git)?(\?.*)?$/.exec(segments[at + 1])![0]
  return [...segments.slice(0, at), namespace, name + behind, ...segments.slice(at + 2)].join('/')
}

function isRepoAccess(access: unknown): access is Role {
  return roles.some((role) => role === access)
}

/** Git clients may write `.git` behind the name, or leave it out. */
function repoNameOf(request: FastifyRequest, type: RepoType): RepoName {
  const { namespace, repo } = request.params as { namespace: string; repo: string }
  return { type, namespace, name: repo.endsWith('.git') ? repo.slice(0, -4) : repo }
}
