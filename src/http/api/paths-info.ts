/** What lies at some paths of a commit: `/api/{T}/{namespace}/{repo}/paths-info/{rev}` (hub-api.md §2.4). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import { describePaths } from '../../hub/file-lists.ts'
import type { Hub } from '../../hub/hub.ts'
import { resolveRevision } from '../../hub/revisions.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { takeForms } from './forms.ts'
import { revisionBehind } from './revision-path.ts'
import { isTrue } from './schemas.ts'
import { TreeEntries, writeTreeEntry } from './tree-entry.ts'

/** As JSON from huggingface.js, as a form from huggingface_hub: one path is then a text. */
const PathsRequest = Type.Object({
  paths: Type.Union([Type.Array(Type.String()), Type.String()]),
  expand: Type.Optional(Type.Union([Type.Boolean(), Type.String(), Type.Null()])),
})

/** The route that describes paths. */
export function pathsInfoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    takeForms(server)
    apiRepoRoute(server, {
      method: 'POST',
      path: '/paths-info/*',
      access: 'read',
      schema: { summary: 'What lies at some paths', body: PathsRequest, response: { 200: TreeEntries } },
      handler: (request, reply) => sendPaths(hub, request, reply),
    })
  }
}

async function sendPaths(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repo } = request
  const body = request.body as Static<typeof PathsRequest>
  const paths = [...new Set([body.paths].flat().map((path) => withoutOuterSlashes(path)))]
  const { pathsInfoMax } = hub.config.limits
  if (paths.length > pathsInfoMax) {
    throw new HoldfastError('InputTooLarge', {
      message: `At most ${pathsInfoMax} paths are described at once, and these are ${paths.length}. List the folder.`,
    })
  }
  const { commitId } = await resolveRevision(hub, repo, revisionBehind(request))
  const entries = await describePaths(hub, repo, { commitId, paths, withLastCommit: isTrue(body.expand) })
  reply.headers({ 'x-repo-commit': commitId, 'cache-control': 'no-store' })
  return reply.send(entries.map(writeTreeEntry))
}

/** By hand: a pattern for slashes at the end takes the square of a long run of them that stands elsewhere. */
function withoutOuterSlashes(path: string): string {
  let start = 0
  let end = path.length
  while (path[start] === '/') start++
  while (end > start && path[end - 1] === '/') end--
  return path.slice(start, end)
}
