/** Branches and tags: listed, made, deleted (hub-api.md §2.9). */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import { createBranch, deleteBranch } from '../../hub/refs/branches.ts'
import { listRefs, type NamedRef } from '../../hub/refs/list-refs.ts'
import { createTag, deleteTag } from '../../hub/refs/tags.ts'
import { clientSignal } from '../byte-stream.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { revisionBehind } from './revision-path.ts'
import { nullable } from './schemas.ts'

const RefsQuery = Type.Object({
  include_prs: Type.Optional(Type.String()),
  include_pull_requests: Type.Optional(Type.String()),
})

const BranchRequest = Type.Object({
  startingPoint: nullable(Type.String()),
  emptyBranch: nullable(Type.Boolean()),
  overwrite: nullable(Type.Boolean()),
})

const TagRequest = Type.Object({ tag: Type.String({ minLength: 1 }), message: nullable(Type.String()) })

/** The routes `/refs`, `/branch/` and `/tag/`. */
export function refRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'GET',
      path: '/refs',
      access: 'read',
      schema: { querystring: RefsQuery },
      handler: async (request, reply) => reply.header('cache-control', 'no-store').send(await list(hub, request)),
    })
    apiRepoRoute(server, {
      method: 'POST',
      path: '/branch/*',
      access: 'write',
      schema: { body: BranchRequest },
      handler: async (request, reply) => {
        const body = (request.body ?? {}) as Partial<Static<typeof BranchRequest>>
        await createBranch(hub, request.principal as UserPrincipal, request.repo, {
          name: revisionBehind(request),
          startingPoint: body?.startingPoint ?? undefined,
          isEmpty: body?.emptyBranch === true,
          isOverwriting: body?.overwrite === true,
          signal: clientSignal(reply),
        })
        return reply.send({ success: true })
      },
    })
    apiRepoRoute(server, {
      method: 'POST',
      path: '/tag/*',
      access: 'write',
      schema: { body: TagRequest },
      handler: async (request, reply) => {
        const { tag, message } = request.body as Static<typeof TagRequest>
        await createTag(hub, request.principal as UserPrincipal, request.repo, {
          name: tag,
          revision: revisionBehind(request),
          message: message ?? undefined,
          signal: clientSignal(reply),
        })
        return reply.send({ success: true })
      },
    })
    for (const [path, remove] of [
      ['/branch/*', deleteBranch],
      ['/tag/*', deleteTag],
    ] as const) {
      apiRepoRoute(server, {
        method: 'DELETE',
        path,
        access: 'write',
        handler: async (request, reply) => {
          const asked = { name: revisionBehind(request), signal: clientSignal(reply) }
          await remove(hub, request.principal as UserPrincipal, request.repo, asked)
          return reply.send({ success: true })
        },
      })
    }
  }
}

async function list(hub: Hub, request: FastifyRequest) {
  const { include_prs: short, include_pull_requests: long } = request.query as Static<typeof RefsQuery>
  const { pullRequests, ...refs } = await listRefs(hub, request.repo)
  const isAsked = [short, long].some(
    (asked) => asked !== undefined && !['', '0', 'false'].includes(asked.toLowerCase()),
  )
  return {
    branches: refs.branches.map(writeRef),
    converts: refs.converts.map(writeRef),
    tags: refs.tags.map(writeRef),
    ...(isAsked ? { pullRequests: pullRequests.map(writeRef) } : undefined),
  }
}

function writeRef({ name, ref, targetId }: NamedRef) {
  return { name, ref, targetCommit: targetId }
}
