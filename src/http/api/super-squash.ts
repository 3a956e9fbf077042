/** A branch's history made one commit: `POST /api/{T}/{namespace}/{repo}/super-squash/{branch}` (hub-api.md §2.9). */
import type { FastifyPluginAsync } from 'fastify'
import { type Static, Type } from 'typebox'
import { commitUrl } from '../../hub/commit/commit.ts'
import { superSquash } from '../../hub/commit/super-squash.ts'
import type { Hub } from '../../hub/hub.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import { clientSignal } from '../byte-stream.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { revisionBehind } from './revision-path.ts'
import { nullable } from './schemas.ts'

const SquashRequest = Type.Object({ message: nullable(Type.String()) })

/** The route `/super-squash/`. */
export function superSquashRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'POST',
      path: '/super-squash/*',
      access: 'write',
      schema: { body: SquashRequest },
      handler: async (request, reply) => {
        const revision = revisionBehind(request)
        const { message } = request.body as Static<typeof SquashRequest>
        const commitId = await superSquash(hub, request.principal as UserPrincipal, request.repo, {
          revision,
          message: message?.trim() ? message : `Super-squash branch '${revision}'`,
          signal: clientSignal(reply),
        })
        const answer = { success: true, commitOid: commitId, commitUrl: commitUrl(hub, request.repo, commitId) }
        return reply.header('cache-control', 'no-store').send(answer)
      },
    })
  }
}
