/** A repository described, at its default branch or at any revision (hub-api.md §2.3). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import type { Repo } from '../../hub/repo.ts'
import { resolveRevision } from '../../hub/revisions.ts'
import { visibleRefs } from '../../hub/visible-refs.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { pickExpanded, writeRepoInfo } from './repo-fields.ts'
import { revisionBehind } from './revision-path.ts'

const Texts = Type.Union([Type.String(), Type.Array(Type.String())])

const InfoQuery = Type.Object({
  blobs: Type.Optional(Type.String()),
  expand: Type.Optional(Texts),
  'expand[]': Type.Optional(Texts),
})

/** The routes `/api/{T}/{namespace}/{repo}` and `/api/{T}/{namespace}/{repo}/revision/{rev}`. */
export function repoInfoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
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
async function resolveDefault(hub: Hub, repo: Repo) {
  const { headId } = (await visibleRefs(hub, repo)).snapshot
  return headId === undefined ? { commitId: undefined } : await resolveRevision(hub, repo, 'HEAD')
}
