/** What lies in a folder of a commit: `/api/{T}/{namespace}/{repo}/tree/{rev}[/{path}]` (hub-api.md §2.4). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { listFolder, parseFolderCursor, writeFolderCursor } from '../../hub/file-lists.ts'
import type { Hub } from '../../hub/hub.ts'
import { resolveRevision, resolveRevisionPath } from '../../hub/revisions.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { linkNextPage } from './next-page.ts'
import { segmentsBehind } from './revision-path.ts'
import { isTrue } from './schemas.ts'
import { TreeEntries, writeTreeEntry } from './tree-entry.ts'

const TreeQuery = Type.Object({
  recursive: Type.Optional(Type.String()),
  /** With each entry's last commit. */
  expand: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
})

/** The route of folders. */
export function treeRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'GET',
      path: '/tree/*',
      access: 'read',
      schema: { summary: 'What lies in a folder', querystring: TreeQuery, response: { 200: TreeEntries } },
      handler: (request, reply) => sendFolder(hub, request, reply),
    })
  }
}

async function sendFolder(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repo } = request
  const query = request.query as Static<typeof TreeQuery>
  const asked = await resolveRevisionPath(hub, repo, segmentsBehind(request))
  const cursor = query.cursor === undefined ? undefined : parseFolderCursor(query.cursor)
  // A cursor comes from outside as well: its commit must be one that the caller may read.
  const { commitId } = cursor === undefined ? asked : await resolveRevision(hub, repo, cursor.commitId)
  reply.headers({ 'x-repo-commit': commitId, 'cache-control': 'no-store' })
  const withLastCommit = isTrue(query.expand)
  const { listPageMax, expandedPageMax } = hub.config.limits
  const pageMax = withLastCommit ? expandedPageMax : listPageMax
  const { entries, next } = await listFolder(hub, repo, {
    commitId,
    path: asked.path.filter((segment) => segment !== ''),
    isRecursive: isTrue(query.recursive),
    after: cursor?.after,
    pageSize: Math.min(query.limit ?? pageMax, pageMax),
    withLastCommit,
  })
  linkNextPage(hub, request, reply, next && writeFolderCursor(commitId, next))
  return reply.send(entries.map(writeTreeEntry))
}
