/** Git smart HTTP (gitprotocol-http): the advertisement, fetch and push. */
import type { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { GitService, ProtocolVersion } from '../../git/protocol/capabilities.ts'
import { parseProtocolVersion } from '../../git/protocol/protocol-version.ts'
import type { Answer } from '../../hub/answer-cache.ts'
import { advertise, fetch } from '../../hub/fetch.ts'
import type { Hub } from '../../hub/hub.ts'
import { push } from '../../hub/push.ts'
import { clientSignal, passBodiesThrough, startStream } from '../byte-stream.ts'
import { callerOf, type Transfers } from '../limits.ts'
import { repoRoute } from '../repo-route.ts'
import { sendGitError } from './errors.ts'
import { openRequestBody } from './request-body.ts'

/** The routes of the smart protocol for all repositories. */
export function gitRoutes(hub: Hub, transfers: Transfers): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendGitError)
    passBodiesThrough(server)
    repoRoute(server, {
      method: 'GET',
      path: '/info/refs',
      access: (request) => (requestedService(request) === 'git-receive-pack' ? 'write' : 'read'),
      handler: (request, reply) => {
        checkPlaces(transfers, request)
        return sendAdvertisement(hub, request, reply)
      },
    })
    repoRoute(server, {
      method: 'POST',
      path: '/git-upload-pack',
      access: 'read',
      handler: async (request, reply) => {
        const body = openRequestBody(request, 'git-upload-pack', hub.config.limits.gitRequestInflatedMaxBytes)
        const signal = clientSignal(reply)
        const admit = () => transfers.fetches.enter(callerOf(request), signal)
        const options = { version: versionOf(request), signal, admit }
        return sendResult(request, reply, 'git-upload-pack', await fetch(hub, request.repo, body, options))
      },
    })
    repoRoute(server, {
      method: 'POST',
      path: '/git-receive-pack',
      access: 'write',
      handler: async (request, reply) => {
        // The commands stand before the pack, and have limits of their own.
        const { gitPackMaxBytes, gitRequestInflatedMaxBytes } = hub.config.limits
        const body = openRequestBody(request, 'git-receive-pack', gitPackMaxBytes + gitRequestInflatedMaxBytes)
        const signal = clientSignal(reply)
        const leave = await transfers.pushes.enter(callerOf(request), signal)
        const result = push(hub, request.principal, request.repo, body, { signal })
        return await sendResult(request, reply, 'git-receive-pack', leaving(result, leave))
      },
    })
  }
}

/**
 * Refuses with the first request what the next would be refused for: git prints the sentence of a refusal only here, and
 * of a POST the status alone.
 */
function checkPlaces({ fetches, pushes }: Transfers, request: FastifyRequest): void {
  const places = requestedService(request) === 'git-receive-pack' ? pushes : fetches
  places.check(callerOf(request))
}

/** Gives the place back when the stream has ended or was left. */
async function* leaving(stream: ByteStream, leave: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } finally {
    leave()
  }
}

async function sendAdvertisement(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const service = requestedService(request)
  if (service === undefined) {
    throw new HoldfastError('AccessDenied', {
      message: 'This server speaks the smart HTTP protocol only, for git-upload-pack and git-receive-pack.',
    })
  }
  const advertisement = await advertise(hub, request.repo, { service, version: versionOf(request) })
  return withoutCaching(reply)
    .type(`application/x-${service}-advertisement`)
    .send(await bodyOf(advertisement, request))
}

async function sendResult(
  request: FastifyRequest,
  reply: FastifyReply,
  service: GitService,
  result: Answer,
): Promise<FastifyReply> {
  const body = await bodyOf(result, request)
  return withoutCaching(reply).type(`application/x-${service}-result`).send(body)
}

/** A whole answer is sent with its length, in one write. */
async function bodyOf(answer: Answer, request: FastifyRequest): Promise<Uint8Array | Readable> {
  return answer instanceof Uint8Array ? answer : await startStream(answer, request)
}

/** Undefined for a dumb request, for a service we do not have, and where the query names several. */
function requestedService(request: FastifyRequest): GitService | undefined {
  const { service } = request.query as { service?: unknown }
  return service === 'git-upload-pack' || service === 'git-receive-pack' ? service : undefined
}

function versionOf(request: FastifyRequest): ProtocolVersion {
  return parseProtocolVersion(request.headers['git-protocol'])
}

/** As git http-backend says it, for proxies of HTTP/1.0 as well. */
function withoutCaching(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-cache, max-age=0, must-revalidate')
    .header('pragma', 'no-cache')
    .header('expires', 'Fri, 01 Jan 1980 00:00:00 GMT')
}
