/** Lists of models, datasets and spaces (hub-api.md §2.15). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import type { RepoType } from '../../hub/repo.ts'
import { listVisibleRepos } from '../../hub/repos.ts'
import { apiTypeNames } from '../repo-route.ts'
import { summarizeRepo } from './repo-fields.ts'

const Texts = Type.Union([Type.String(), Type.Array(Type.String())])

const ListQuery = Type.Object({
  author: Type.Optional(Type.String()),
  search: Type.Optional(Texts),
  /** Tags, which repositories do not have yet: nothing matches. */
  filter: Type.Optional(Texts),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  cursor: Type.Optional(Type.String()),
})

/** The routes `/api/{models|datasets|spaces}`. */
export function listRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    for (const [type, plural] of Object.entries(apiTypeNames)) {
      server.get(`/api/${plural}`, {
        config: { access: 'public' },
        schema: { querystring: ListQuery },
        handler: (request, reply) => list(hub, request, reply, type as RepoType),
      })
    }
  }
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
