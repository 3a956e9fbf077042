/** What went wrong, as LFS clients read it (git-lfs docs/api/batch.md, "Response Errors"). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LfsLock } from '../../hub/lfs-locks.ts'
import { lfsMediaType } from '../../lfs/batch.ts'
import { type Lock, writeLock } from '../../lfs/lock.ts'
import { describeFailure, type Failure } from '../failure.ts'

interface LfsErrorBody {
  message: string
  request_id: string
  /** With 409: the lock that is in the way. */
  lock?: Lock
}

/** The error handler of the LFS doors. */
export function sendLfsError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = describeFailure(error, request)
  const status = statusOf(error, failure)
  const body: LfsErrorBody = { message: failure.message, request_id: request.id }
  if (failure.code === 'LockExists') body.lock = writeLock(failure.details.lock as LfsLock)
  reply.code(status).headers(failure.headers)
  if (status === 401) {
    // git-lfs looks for the first, which browsers do not know; other clients look for the second.
    reply.header('lfs-authenticate', 'Basic realm="Holdfast"').header('www-authenticate', 'Basic realm="Holdfast"')
  }
  // What a route had prepared for its bytes does not describe this answer.
  for (const name of ['etag', 'content-length', 'accept-ranges', 'cache-control']) reply.removeHeader(name)
  return reply.type(lfsMediaType).send(body)
}

/** Where LFS has a status of its own. */
function statusOf(error: unknown, failure: Failure): number {
  const { validation, statusCode } = error as { validation?: unknown; statusCode?: number }
  // What is no JSON at all stays 400; what is JSON and makes no sense is 422.
  if (validation !== undefined || (failure.code === 'InputInvalid' && statusCode === undefined)) return 422
  return failure.status
}
