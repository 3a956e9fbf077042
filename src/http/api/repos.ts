/** Repositories through the Hub API: made, deleted, listed, described (hub-api.md §2.2, §2.3, §2.15). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import type { Hub } from '../../hub/hub.ts'
import { createStartedRepo } from '../../hub/initial-commit.ts'
import { openRepo } from '../../hub/open-repo.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import type { RepoName, RepoType } from '../../hub/repo.ts'
import { deleteRepo, listVisibleRepos, repoUrl } from '../../hub/repos.ts'
import { resolveRevision } from '../../hub/revisions.ts'
import { visibleRefs } from '../../hub/visible-refs.ts'
import { pathOf } from '../path-safety.ts'
import { apiRepoRoute, apiTypeNames } from '../repo-route.ts'
import { pickExpanded, summarizeRepo, writeRepoInfo } from './repo-info.ts'

const RepoAddress = Type.Object({
  name: Type.String(),
  /** Absent or null: the caller's own namespace. */
  organization: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  type: Type.Optional(Type.Union([Type.Literal('model'), Type.Literal('dataset'), Type.Literal('space'), Type.Null()])),
})

const CreateRequest = Type.Intersect([
  RepoAddress,
  Type.Object({
    visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private'), Type.Null()])),
    /** How older clients say it. */
    private: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  }),
])

const Texts = Type.Union([Type.String(), Type.Array(Type.String())])

const ListQuery = Type.Object({
  author: Type.Optional(Type.String()),
  search: Type.Optional(Texts),
  /** Tags, which repositories do not have yet: nothing matches. */
  filter: Type.Optional(Texts),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  cursor: Type.Optional(Type.String()),
})

const InfoQuery = Type.Object({
  blobs: Type.Optional(Type.String()),
  expand: Type.Optional(Texts),
  'expand[]': Type.Optional(Texts),
})

/** The routes that make, delete, list and describe repositories. */
export function repoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.post('/api/repos/create', {
      config: { access: 'account' },
      schema: { body: CreateRequest },
      handler: (request) =>
        create(hub, request.principal as UserPrincipal, request.body as Static<typeof CreateRequest>),
    })
    server.delete('/api/repos/delete', {
      config: { access: 'account' },
      schema: { body: RepoAddress },
      handler: async (request, reply) => {
        const name = readAddress(request.principal as UserPrincipal, request.body as Static<typeof RepoAddress>)
        await deleteRepo(hub, await openRepo(hub, request.principal, name, 'admin'))
        return reply.type('text/plain; charset=utf-8').send('OK')
      },
    })
    for (const [type, plural] of Object.entries(apiTypeNames)) {
      server.get(`/api/${plural}`, {
        config: { access: 'public' },
        schema: { querystring: ListQuery },
        handler: (request, reply) => list(hub, request, reply, type as RepoType),
      })
    }
    const schema = { querystring: InfoQuery }
    apiRepoRoute(server, {
      method: 'GET',
      path: '',
      access: 'read',
      schema,
      handler: (request, reply) => describe(hub, request, reply, undefined),
    })
    apiRepoRoute(server, {
      method: 'GET',
      path: '/revision/*',
      access: 'read',
      schema,
      handler: (request, reply) => describe(hub, request, reply, revisionBehind(request)),
    })
  }
}

async function create(hub: Hub, principal: UserPrincipal, body: Static<typeof CreateRequest>) {
  const name = readAddress(principal, body)
  const visibility = body.visibility ?? (body.private === true ? 'private' : 'public')
  const repo = await createStartedRepo(hub, principal, name, visibility)
  const id = `${repo.namespace}/${repo.name}`
  return { url: repoUrl(hub, repo), name: id, id }
}

/** Clients send the namespace apart, or before the name. */
function readAddress(principal: UserPrincipal, body: Static<typeof RepoAddress>): RepoName {
  const slash = body.name.indexOf('/')
  const namespace = slash < 0 ? body.organization || principal.userName : body.name.slice(0, slash)
  return { type: body.type ?? 'model', namespace, name: body.name.slice(slash + 1) }
}

async function list(hub: Hub, request: FastifyRequest, reply: FastifyReply, type: RepoType): Promise<FastifyReply> {
  const query = request.query as Static<typeof ListQuery>
  if (query.filter !== undefined) return reply.send([])
  const [search, ...others] = [query.search ?? []].flat()
  const { author: namespace, cursor: after, limit: pageSize } = query
  const page = await listVisibleRepos(hub, request.principal, { type, namespace, search, after, pageSize })
  if (page.next !== undefined) {
    const next = new URL(request.raw.url!, hub.config.publicUrl)
    next.searchParams.set('cursor', page.next)
    reply.header('link', `<${next.href}>; rel="next"`)
  }
  // Further words are rare: pages with fewer entries are as good, clients follow the link.
  const matches = page.repos.filter((repo) => {
    const id = `${repo.namespace}/${repo.name}`.toLowerCase()
    return others.every((word) => id.includes(word.toLowerCase()))
  })
  return reply.header('cache-control', 'no-store').send(matches.map(summarizeRepo))
}

async function describe(
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  revision: string | undefined,
): Promise<FastifyReply> {
  const { repo } = request
  const query = request.query as Static<typeof InfoQuery>
  const { commitId } =
    revision === undefined ? await resolveDefault(hub, repo) : await resolveRevision(hub, repo, revision)
  const info = await writeRepoInfo(hub, repo, { commitId, isDetailed: query.blobs?.toLowerCase() === 'true' })
  const expand = [query.expand ?? [], query['expand[]'] ?? []].flat()
  return reply.header('cache-control', 'no-store').send(expand.length === 0 ? info : pickExpanded(info, expand))
}

/** An empty repository has no commit to describe, and is one all the same. */
async function resolveDefault(hub: Hub, repo: Parameters<typeof resolveRevision>[1]) {
  const { headId } = (await visibleRefs(hub, repo)).snapshot
  return headId === undefined ? { commitId: undefined } : await resolveRevision(hub, repo, 'HEAD')
}

/** All that stands behind `/revision/`: some clients encode the slashes of a revision, some do not. */
function revisionBehind(request: FastifyRequest): string {
  const path = pathOf(request.raw.url!)
  const revision = decodeURIComponent(path.split('/').slice(6).join('/'))
  if (revision === '') throw new HoldfastError('RevisionNotFound')
  return revision
}
