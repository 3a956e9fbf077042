/** A domain error as git reads it: a status, a challenge that makes it ask for credentials, a sentence it prints. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeFailure } from '../failure.ts'

/** The error handler of the Git door. */
export function sendGitError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, message, headers } = describeFailure(error, request)
  if (status === 401) reply.header('www-authenticate', 'Basic realm="Holdfast", charset="UTF-8"')
  return reply
    .code(status)
    .headers(headers)
    .header('cache-control', 'no-cache')
    .type('text/plain; charset=utf-8')
    .send(`${message}\n`)
}
