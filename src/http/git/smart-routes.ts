/**
 * The three requests of Git smart HTTP (gitprotocol-http), whatever repositories stand behind them: hosted ones
 * (routes.ts), or those of a folder (folder-server.ts).
 */
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { GitService } from '../../git/protocol/capabilities.ts'
import type { Limits } from '../../limits.ts'
import { clientSignal, startStream } from '../byte-stream.ts'
import { openRequestBody } from './request-body.ts'

/** What a client is answered: a stream, or bytes that are known whole. */
export type SmartAnswer = Uint8Array | ByteStream

/** Answers for the repository that the request names. */
export interface SmartDoor {
  limits: Limits
  advertise(request: FastifyRequest, service: GitService): Promise<SmartAnswer>
  /** `signal` fires when the client has gone. */
  fetch(request: FastifyRequest, body: ByteStream, signal: AbortSignal): Promise<SmartAnswer>
  push(request: FastifyRequest, body: ByteStream, signal: AbortSignal): Promise<SmartAnswer>
}

export interface SmartRoute {
  method: 'GET' | 'POST'
  /** What follows the repository's address. */
  path: '/info/refs' | '/git-upload-pack' | '/git-receive-pack'
  handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>
}

export function smartRoutes(door: SmartDoor): SmartRoute[] {
  const { gitPackMaxBytes, gitRequestInflatedMaxBytes } = door.limits
  return [
    { method: 'GET', path: '/info/refs', handler: (request, reply) => sendAdvertisement(door, request, reply) },
    {
      method: 'POST',
      path: '/git-upload-pack',
      handler: async (request, reply) => {
        const body = openRequestBody(request, 'git-upload-pack', gitRequestInflatedMaxBytes)
        return sendResult(request, reply, 'git-upload-pack', await door.fetch(request, body, clientSignal(reply)))
      },
    },
    {
      method: 'POST',
      path: '/git-receive-pack',
      handler: async (request, reply) => {
        // The commands stand before the pack, and have limits of their own.
        const body = openRequestBody(request, 'git-receive-pack', gitPackMaxBytes + gitRequestInflatedMaxBytes)
        return sendResult(request, reply, 'git-receive-pack', await door.push(request, body, clientSignal(reply)))
      },
    },
  ]
}

/** Undefined for a dumb request, for a service we do not have, and where the query names several. */
export function requestedService(request: FastifyRequest): GitService | undefined {
  const { service } = request.query as { service?: unknown }
  return service === 'git-upload-pack' || service === 'git-receive-pack' ? service : undefined
}

async function sendAdvertisement(door: SmartDoor, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const service = requestedService(request)
  if (service === undefined) {
    throw new HoldfastError('AccessDenied', {
      message: 'This server speaks the smart HTTP protocol only, for git-upload-pack and git-receive-pack.',
    })
  }
  const advertisement = await door.advertise(request, service)
  return withoutCaching(reply)
    .type(`application/x-${service}-advertisement`)
    .send(await bodyOf(advertisement, request))
}

async function sendResult(
  request: FastifyRequest,
  reply: FastifyReply,
  service: GitService,
  result: SmartAnswer,
): Promise<FastifyReply> {
  const body = await bodyOf(result, request)
  return withoutCaching(reply).type(`application/x-${service}-result`).send(body)
}

/** A whole answer is sent with its length, in one write. */
async function bodyOf(answer: SmartAnswer, request: FastifyRequest): Promise<Uint8Array | Readable> {
  return answer instanceof Uint8Array ? answer : await startStream(answer, request)
}

/** As git http-backend says it, for proxies of HTTP/1.0 as well. */
function withoutCaching(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-cache, max-age=0, must-revalidate')
    .header('pragma', 'no-cache')
    .header('expires', 'Fri, 01 Jan 1980 00:00:00 GMT')
}
