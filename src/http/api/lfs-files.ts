/** The LFS content of a repository, listed and deleted (hub-api.md §2.10). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import { deleteLfsFiles, listLfsFiles } from '../../hub/lfs-files.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { linkNextPage } from './next-page.ts'

const ListQuery = Type.Object({
  cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
})

const LfsFiles = Type.Array(
  Type.Object({
    fileOid: Type.String(),
    oid: Type.String(),
    filename: Type.String(),
    size: Type.Integer(),
    pushedAt: Type.String(),
  }),
)

const DeleteRequest = Type.Object({
  deletions: Type.Object({
    sha: Type.Array(Type.String({ pattern: '^[0-9a-f]{40}$' }), { maxItems: 1000 }),
    /** Makes no difference: what history points to stays. */
    rewriteHistory: Type.Optional(Type.Boolean()),
  }),
})

/** The routes `…/lfs-files` and `…/lfs-files/batch`. */
export function lfsFilesRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'GET',
      path: '/lfs-files',
      // Files of hidden refs and of history are among them.
      access: 'write',
      schema: { summary: 'List LFS content', querystring: ListQuery, response: { 200: LfsFiles } },
      handler: (request, reply) => sendFiles(hub, request, reply),
    })
    apiRepoRoute(server, {
      method: 'POST',
      path: '/lfs-files/batch',
      access: 'write',
      schema: { summary: 'Delete LFS content that nothing points to', body: DeleteRequest },
      handler: async (request) => {
        const { deletions } = request.body as Static<typeof DeleteRequest>
        await deleteLfsFiles(hub, request.repo, deletions.sha)
        return { deleted: deletions.sha }
      },
    })
  }
}

async function sendFiles(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = request.query as Static<typeof ListQuery>
  const { listPageMax } = hub.config.limits
  const pageSize = Math.min(query.limit ?? listPageMax, listPageMax)
  const { files, next } = await listLfsFiles(hub, request.repo, { after: query.cursor, pageSize })
  linkNextPage(hub, request, reply, next)
  return reply.header('cache-control', 'no-store').send(
    files.map(({ fileId, lfsOid, sizeBytes, grantedAt, path }) => ({
      fileOid: fileId,
      oid: lfsOid,
      // A name is demanded, and content that only other branches have had has none.
      filename: path ?? lfsOid,
      size: sizeBytes,
      pushedAt: grantedAt.toISOString(),
    })),
  )
}
