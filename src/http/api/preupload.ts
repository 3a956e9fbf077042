/** What clients ask before they upload: `POST /api/{T}/{namespace}/{repo}/preupload/{rev}` (hub-api.md §2.6). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import { adviseUploads } from '../../hub/commit/preupload.ts'
import type { Hub } from '../../hub/hub.ts'
import { clientSignal } from '../byte-stream.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { asksForPullRequest } from './commit.ts'
import { revisionBehind } from './revision-path.ts'

const PreuploadRequest = Type.Object({
  files: Type.Array(
    Type.Object({
      path: Type.String({ minLength: 1 }),
      size: Type.Integer({ minimum: 0 }),
      /** The first bytes in base64. */
      sample: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    }),
  ),
  gitIgnore: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  gitAttributes: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

// Of files on which nothing but their beginning is looked at.
const sampleMaxLength = 16_384

/** The route `/preupload/`. */
export function preuploadRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'POST',
      path: '/preupload/*',
      // Whoever is going to propose a change need not be one who may make it.
      access: (request) => (asksForPullRequest(request) ? 'read' : 'write'),
      schema: { body: PreuploadRequest },
      handler: (request, reply) => advise(hub, request, reply),
    })
  }
}

async function advise(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { files, gitIgnore, gitAttributes } = request.body as Static<typeof PreuploadRequest>
  const { preuploadFilesMax } = hub.config.limits
  if (files.length > preuploadFilesMax) {
    throw new HoldfastError('InputTooLarge', { message: `Ask for ${preuploadFilesMax} files at most at once.` })
  }
  const { commitId, advice } = await adviseUploads(hub, request.repo, {
    revision: revisionBehind(request),
    files: files.map(({ path, size, sample }) => ({
      path,
      sizeBytes: size,
      sample: Buffer.from((sample ?? '').slice(0, sampleMaxLength), 'base64'),
    })),
    gitIgnore: gitIgnore ?? undefined,
    gitAttributes: gitAttributes ?? undefined,
    signal: clientSignal(reply),
  })
  return reply.header('cache-control', 'no-store').send({ files: advice, commitOid: commitId })
}
