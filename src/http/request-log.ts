/**
 * One line per request when its response has ended or its client has gone: who, which repository, what, how many bytes,
 * how long, with which outcome. Queries are left out: signatures travel there.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ClientNotes } from '../git/host.ts'
import { repoPath } from '../hub/repo.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from './metrics.ts'
import { pathOf } from './path-safety.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a Git client told of itself, for the log. */
    gitClient: ClientNotes | undefined
  }
}

/** What a socket had carried when its previous request ended: connections are kept alive. */
const carried = new WeakMap<Socket, { bytesIn: number; bytesOut: number }>()

/** Adds the log line, the metrics and X-Request-Id to every request. Register it first: refusals are logged too. */
export function logRequests(server: FastifyInstance, logger: Logger, metrics: Metrics): void {
  server.decorateRequest('failure', undefined)
  server.decorateRequest('gitClient', undefined)
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const startedAt = performance.now()
    const { socket } = request.raw
    reply.raw.once('close', () => {
      const bytes = countBytes(socket)
      const durationMs = performance.now() - startedAt
      const { statusCode } = reply
      metrics.observe({ door: request.routeOptions.config?.door ?? 'none', status: statusCode, durationMs, ...bytes })
      writeLine(logger, request, reply, { ...bytes, durationMs: Math.round(durationMs * 10) / 10 })
    })
    done()
  })
}

function writeLine(logger: Logger, request: FastifyRequest, reply: FastifyReply, measured: object): void {
  const { failure, principal, repo, gitClient } = request
  const line = {
    requestId: request.id,
    who: principal?.kind === 'user' ? principal.userName : 'anonymous',
    repo: repo ? repoPath(repo) : undefined,
    what: `${request.method} ${pathOf(request.raw.url!)}`,
    gitAgent: shorten(gitClient?.agent),
    gitSession: shorten(gitClient?.sessionId),
    ...measured,
    status: reply.statusCode,
    aborted: reply.raw.writableFinished ? undefined : true,
    code: failure?.code,
  }
  if (failure !== undefined && failure.code === undefined)
    logger.error({ ...line, err: failure.error }, 'request failed')
  else logger.info(line, 'request')
}

/** The client chooses it: it may fill a line, not a log. */
function shorten(text: string | undefined): string | undefined {
  return text?.slice(0, 128)
}

/** Bytes that passed the socket for this request, headers included. */
function countBytes(socket: Socket): { bytesIn: number; bytesOut: number } {
  const now = { bytesIn: socket.bytesRead ?? 0, bytesOut: socket.bytesWritten ?? 0 }
  const before = carried.get(socket)
  carried.set(socket, now)
  return { bytesIn: now.bytesIn - (before?.bytesIn ?? 0), bytesOut: now.bytesOut - (before?.bytesOut ?? 0) }
}
