/** The LFS door: batch and locks below `/{prefix}{namespace}/{repo}.git/info/lfs`. Bytes go through http/bytes/. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Hub } from '../../hub/hub.ts'
import { negotiateLfs } from '../../hub/lfs-batch.ts'
import { createLock, isOwnLock, pageLocks, releaseLock } from '../../hub/lfs-locks.ts'
import { BatchRequest, lfsMediaType } from '../../lfs/batch.ts'
import { LockQuery, LockRequest, LockVerifyRequest, UnlockRequest, writeLock } from '../../lfs/lock.ts'
import { repoRoute } from '../repo-route.ts'
import { sendLfsError } from './errors.ts'
import { checkAccept, takeLfsJson } from './media-type.ts'

const base = '/info/lfs'

/** The routes of the batch and locking APIs for all repositories. */
export function lfsRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendLfsError)
    takeLfsJson(server)
    server.addHook('onRequest', checkAccept)
    repoRoute(server, {
      method: 'POST',
      path: `${base}/objects/batch`,
      // Of an upload the rules demand more, once its body is known.
      access: 'read',
      schema: { body: BatchRequest },
      handler: async (request, reply) => {
        const answer = await negotiateLfs(hub, request.principal, request.repo, request.body as BatchRequest)
        return await sendLfs(reply, 200, answer)
      },
    })
    repoRoute(server, {
      method: 'POST',
      path: `${base}/locks`,
      access: 'write',
      schema: { body: LockRequest },
      handler: async (request, reply) => {
        const { path, ref } = request.body as LockRequest
        const lock = await createLock(hub, request.principal, request.repo, { path, refName: ref?.name })
        return await sendLfs(reply, 201, { lock: writeLock(lock) })
      },
    })
    repoRoute(server, {
      method: 'GET',
      path: `${base}/locks`,
      access: 'read',
      schema: { querystring: LockQuery },
      handler: (request, reply) => sendLocks(hub, request, reply),
    })
    repoRoute(server, {
      method: 'POST',
      path: `${base}/locks/verify`,
      access: 'write',
      schema: { body: LockVerifyRequest },
      handler: (request, reply) => sendOursAndTheirs(hub, request, reply),
    })
    repoRoute(server, {
      method: 'POST',
      path: `${base}/locks/:lockId/unlock`,
      access: 'write',
      schema: { body: UnlockRequest },
      handler: async (request, reply) => {
        const { lockId } = request.params as { lockId: string }
        const force = (request.body as UnlockRequest).force ?? false
        const lock = await releaseLock(hub, request.principal, request.repo, { lockId, force })
        return await sendLfs(reply, 200, { lock: writeLock(lock) })
      },
    })
  }
}

async function sendLocks(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = request.query as LockQuery
  const page = await pageLocks(hub, request.repo, {
    path: query.path || undefined,
    lockId: query.id || undefined,
    cursor: query.cursor || undefined,
    limit: Number(query.limit || 0),
  })
  return await sendLfs(reply, 200, { locks: page.locks.map(writeLock), next_cursor: page.nextCursor })
}

async function sendOursAndTheirs(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const body = request.body as LockVerifyRequest
  const page = await pageLocks(hub, request.repo, { cursor: body.cursor || undefined, limit: body.limit ?? 0 })
  const ours = page.locks.filter((lock) => isOwnLock(request.principal, lock))
  const theirs = page.locks.filter((lock) => !isOwnLock(request.principal, lock))
  return await sendLfs(reply, 200, {
    ours: ours.map(writeLock),
    theirs: theirs.map(writeLock),
    next_cursor: page.nextCursor,
  })
}

async function sendLfs(reply: FastifyReply, status: number, body: object): Promise<FastifyReply> {
  return await reply.code(status).header('cache-control', 'no-store').type(lfsMediaType).send(body)
}
