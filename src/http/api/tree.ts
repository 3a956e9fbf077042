/** What lies in a folder of a commit: `/api/{T}/{namespace}/{repo}/tree/{rev}[/{path}]` (hub-api.md §2.4). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type FolderEntry, listFolder, parseFolderCursor, writeFolderCursor } from '../../hub/file-lists.ts'
import type { Hub } from '../../hub/hub.ts'
import { resolveRevision, resolveRevisionPath } from '../../hub/revisions.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { segmentsBehind } from './revision-path.ts'

const TreeQuery = Type.Object({
  recursive: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
})

export function treeRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'GET',
      path: '/tree/*',
      access: 'read',
      schema: { querystring: TreeQuery },
      handler: (request, reply) => sendFolder(hub, request, reply),
    })
  }
}

async function sendFolder(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repo } = request
  const query = request.query as Static<typeof TreeQuery>
  const asked = await resolveRevisionPath(hub, repo, segmentsBehind(request))
  reply.header('x-repo-commit', asked.commitId)
  const cursor = query.cursor === undefined ? undefined : parseFolderCursor(query.cursor)
  // A cursor comes from outside as well: its commit must be one that the caller may read.
  const { commitId } = cursor === undefined ? asked : await resolveRevision(hub, repo, cursor.commitId)
  const { listPageMax } = hub.config.limits
  const pageSize = Math.min(query.limit ?? listPageMax, listPageMax)
  const skip = cursor?.skip ?? 0
  const path = asked.path.filter((segment) => segment !== '')
  const isRecursive = query.recursive?.toLowerCase() === 'true'
  const { entries, hasMore } = await listFolder(hub, repo, { commitId, path, isRecursive, skip, pageSize })
  if (hasMore) {
    const next = new URL(request.raw.url!, hub.config.publicUrl)
    next.searchParams.set('cursor', writeFolderCursor(commitId, skip + pageSize))
    reply.header('link', `<${next.href}>; rel="next"`)
  }
  return reply.header('cache-control', 'no-store').send(entries.map(writeEntry))
}

function writeEntry({ kind, path, id, sizeBytes = 0, lfs }: FolderEntry) {
  const entry = { type: kind, oid: id, path, size: lfs?.sizeBytes ?? sizeBytes }
  return lfs === undefined ? entry : { ...entry, lfs: { oid: lfs.lfsOid, size: lfs.sizeBytes, pointerSize: sizeBytes } }
}
