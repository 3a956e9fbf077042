/** Commits: `POST /api/{T}/{namespace}/{repo}/commit/{rev}` with a body of lines (hub-api.md §2.7). */
import { createHash } from 'node:crypto'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import { commitUrl } from '../../hub/commit/commit.ts'
import { takeCommit } from '../../hub/commit/take-commit.ts'
import type { Hub } from '../../hub/hub.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import { clientSignal, limitBytes, passBodiesThrough, requestBytes } from '../byte-stream.ts'
import { callerOf, type Transfers } from '../limits.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { parseCommitLines } from './commit-lines.ts'
import { revisionBehind } from './revision-path.ts'

/** The route `/commit/`. A commit takes one of the places of pushes. */
export function commitRoutes(hub: Hub, { pushes }: Transfers): FastifyPluginAsync {
  return async (server) => {
    passBodiesThrough(server)
    apiRepoRoute(server, {
      method: 'POST',
      path: '/commit/*',
      access: 'write',
      handler: async (request, reply) => {
        refusePullRequest(request)
        const leave = await pushes.enter(callerOf(request), clientSignal(reply))
        try {
          return await commit(hub, request, reply)
        } finally {
          leave()
        }
      },
    })
  }
}

/** True where a client asks for a pull request to be made of a commit. */
export function asksForPullRequest(request: FastifyRequest): boolean {
  // A name that stands there twice has a list of values.
  const { create_pr: asked = [] } = request.query as { create_pr?: string | string[] }
  return [asked].flat().some((value) => !['', '0', 'false'].includes(value.toLowerCase()))
}

function refusePullRequest(request: FastifyRequest): void {
  if (!asksForPullRequest(request)) return
  throw new HoldfastError('Unsupported', {
    message: 'This server has no pull requests yet. Commit to a branch: leave create_pr out.',
  })
}

async function commit(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repo } = request
  const { limits } = hub.config
  const hash = createHash('sha256')
  const body = hashing(limitBytes(requestBytes(request.raw), limits.commitBodyMaxBytes), hash)
  const commitId = await takeCommit(hub, request.principal as UserPrincipal, repo, {
    revision: revisionBehind(request),
    lines: parseCommitLines(body, limits),
    bodySha256: () => hash.digest(),
    signal: clientSignal(reply),
  })
  return reply.header('cache-control', 'no-store').send({
    success: true,
    commitOid: commitId,
    commitUrl: commitUrl(hub, repo, commitId),
    hookOutput: '',
  })
}

async function* hashing(body: ByteStream, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
}
