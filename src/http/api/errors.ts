/** A domain error as the Hub's clients read it: status, X-Error-Code, X-Error-Message, JSON (hub-api.md §1.2). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeFailure } from '../failure.ts'

/** Codes that huggingface_hub tells apart. Others go out without X-Error-Code. */
const hubCodes = new Set(['RepoNotFound', 'RevisionNotFound', 'EntryNotFound'])

/** What a route may have prepared for its bytes, and does not describe an error. */
const preparedHeaders = ['etag', 'content-length', 'content-disposition']

/** The error handler of the Hub API, and of every door without one of its own. */
export function sendApiError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message, details, headers } = describeFailure(error, request)
  if (code !== undefined && hubCodes.has(code)) reply.header('x-error-code', code)
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="Holdfast"')
  // Clients remember for that commit that the file is not there.
  if (typeof details.commitId === 'string') reply.header('x-repo-commit', details.commitId)
  for (const name of preparedHeaders) reply.removeHeader(name)
  return reply
    .code(status)
    .headers(headers)
    .header('x-error-message', encodeHeader(message))
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send({ error: message, url: details.url })
}

/** Header values carry latin1 only; what does not fit is percent-encoded rather than refused by Node. */
function encodeHeader(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()))
}
