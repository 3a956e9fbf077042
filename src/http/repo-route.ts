/** Routes below a repository's address, for the three repository types at once. */
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { RouteAccess } from '../hub/access.ts'
import { type RepoType, repoPrefixes, repoTypes } from '../hub/repo.ts'

export interface RepoRoute extends Omit<RouteOptions, 'url' | 'config'> {
  /** What follows the repository's name, with its leading slash. */
  path: string
  access: RouteAccess | ((request: FastifyRequest) => RouteAccess)
}

/** How the Hub API spells repository types in paths: `/api/{models|datasets|spaces}`. */
export const apiTypeNames: Record<RepoType, string> = { model: 'models', dataset: 'datasets', space: 'spaces' }

/** Registers `/{prefix}{namespace}/{repo}[.git]{path}` for models, datasets and spaces. */
export function repoRoute(server: FastifyInstance, route: RepoRoute): void {
  for (const type of repoTypes) register(server, route, type, `/${repoPrefixes[type]}`)
}

/** Registers `/api/{models|datasets|spaces}/{namespace}/{repo}{path}`. */
export function apiRepoRoute(server: FastifyInstance, route: RepoRoute): void {
  for (const type of repoTypes) register(server, route, type, `/api/${apiTypeNames[type]}/`)
}

function register(
  server: FastifyInstance,
  { path, access, ...options }: RepoRoute,
  type: RepoType,
  before: string,
): void {
  // Whoever may GET may ask for the headers alone.
  const method = options.method === 'GET' ? ['GET', 'HEAD'] : options.method
  server.route({ ...options, method, url: `${before}:namespace/:repo${path}`, config: { access, repoType: type } })
}
