/** What stands at no address here: a quick 404 that names what a client of the Hub has asked for (hub-api.md §2.11 on). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import { pathOf } from '../path-safety.ts'
import { apiTypeNames } from '../repo-route.ts'
import { sendApiError } from './errors.ts'

/** Families of the Hub's API that this server does not have, by the first segment behind `/api/`. */
const families: Record<string, string> = {
  'agent-harnesses': 'agent harnesses',
  buckets: 'buckets',
  collections: 'collections',
  daily_papers: 'papers',
  endpoints: 'inference endpoints',
  inference: 'inference',
  'inference-proxy': 'inference',
  jobs: 'jobs',
  kernels: 'kernels',
  notifications: 'notifications',
  papers: 'papers',
  partners: 'inference providers',
  posts: 'posts',
  sandboxes: 'sandboxes',
  'scheduled-jobs': 'scheduled jobs',
  telemetry: 'telemetry',
}

/** The same below `/api/settings/`. */
const settings: Record<string, string> = { webhooks: 'webhooks', mcp: 'MCP settings' }

/** The same below a repository's address. */
const partsOfRepos: Record<string, string> = {
  discussions: 'pull requests and discussions yet: push a branch, or commit to one',
  'user-access-request': 'gated repositories',
  'xet-read-token': 'Xet yet: set HF_HUB_DISABLE_XET=1',
  'xet-write-token': 'Xet yet: set HF_HUB_DISABLE_XET=1',
  parquet: 'conversion to Parquet',
  leaderboard: 'leaderboards',
  'resource-group': 'resource groups',
  ...Object.fromEntries(
    ['runtime', 'hardware', 'sleeptime', 'pause', 'restart', 'dev-mode', 'secrets', 'variables', 'logs', 'storage'].map(
      (part) => [part, 'a runtime for Spaces: it keeps their files'],
    ),
  ),
}

/** The handler for every request that no route takes. */
export function refuseUnknownAddress(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const missing = nameMissing(pathOf(request.raw.url!).split('/').slice(1))
  const message =
    missing === undefined
      ? `There is nothing at this address for ${request.method}.`
      : `This server does not have ${missing}.`
  return sendApiError(new HoldfastError('AddressUnknown', { message }), request, reply)
}

function nameMissing([api, first, ...rest]: string[]): string | undefined {
  if (api !== 'api' || first === undefined) return undefined
  if (first === 'settings') return lookUp(settings, rest[0])
  const isOfRepos = Object.values(apiTypeNames).includes(first)
  return isOfRepos ? lookUp(partsOfRepos, rest[2]) : lookUp(families, first)
}

/** The name comes from outside. */
function lookUp(table: Record<string, string>, name: string | undefined): string | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}
