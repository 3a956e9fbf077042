/** A repository made from another one: `POST /api/{T}/{namespace}/{repo}/duplicate` (hub-api.md §2.2). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import { duplicateRepo } from '../../hub/duplicate.ts'
import type { Hub } from '../../hub/hub.ts'
import { parseRepoPath } from '../../hub/names.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import { repoUrl } from '../../hub/repos.ts'
import { clientSignal } from '../byte-stream.ts'
import { callerOf, type Transfers } from '../limits.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { nullable } from './schemas.ts'

const DuplicateRequest = Type.Object({
  /** The new one's `namespace/name`. */
  repository: Type.String(),
  visibility: nullable(Type.Enum(['public', 'private'])),
  private: nullable(Type.Boolean()),
})

/** The route `/duplicate`, which takes one of the places of pushes. */
export function duplicateRoutes(hub: Hub, { pushes }: Transfers): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'POST',
      path: '/duplicate',
      access: 'read',
      schema: { body: DuplicateRequest },
      handler: async (request, reply) => {
        if (request.principal.kind === 'anonymous') throw new HoldfastError('CredentialsMissing')
        const leave = await pushes.enter(callerOf(request), clientSignal(reply))
        try {
          return await duplicate(hub, request, reply)
        } finally {
          leave()
        }
      },
    })
  }
}

async function duplicate(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repository, visibility, private: isPrivate } = request.body as Static<typeof DuplicateRequest>
  const to = parseRepoPath(repository)
  if (to === undefined) throw new HoldfastError('InputInvalid', { message: '"repository" must be namespace/name.' })
  const copy = await duplicateRepo(hub, request.principal as UserPrincipal, request.repo, {
    to: { ...to, type: request.repo.type },
    visibility: visibility ?? (isPrivate == null ? undefined : isPrivate ? 'private' : 'public'),
    signal: clientSignal(reply),
  })
  const id = `${copy.namespace}/${copy.name}`
  // The content is shared, not copied: nothing is pending.
  return reply.send({ url: repoUrl(hub, copy), name: id, id, filesCopyPending: false })
}
