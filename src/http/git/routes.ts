/** Git smart HTTP (gitprotocol-http): the advertisement, fetch and push. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import { advertise, fetch } from '../../hub/fetch.ts'
import type { Hub } from '../../hub/hub.ts'
import { push } from '../../hub/push.ts'
import { clientSignal, startStream } from '../byte-stream.ts'
import { repoRoute } from '../repo-route.ts'
import { sendGitError } from './errors.ts'
import { type ProtocolVersion, parseProtocolVersion } from './protocol-version.ts'
import { openRequestBody } from './request-body.ts'

type Service = 'git-upload-pack' | 'git-receive-pack'

export function gitRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendGitError)
    passBodiesThrough(server)
    repoRoute(server, {
      method: 'GET',
      path: '/info/refs',
      access: (request) => (requestedService(request) === 'git-receive-pack' ? 'write' : 'read'),
      handler: (request, reply) => sendAdvertisement(hub, request, reply),
    })
    repoRoute(server, {
      method: 'POST',
      path: '/git-upload-pack',
      access: 'read',
      handler: (request, reply) => {
        const body = openRequestBody(request, 'git-upload-pack', hub.config.limits.gitRequestInflatedMaxBytes)
        const options = { version: versionOf(request, 'git-upload-pack'), signal: clientSignal(reply) }
        return sendResult(request, reply, 'git-upload-pack', fetch(hub, request.repo, body, options))
      },
    })
    repoRoute(server, {
      method: 'POST',
      path: '/git-receive-pack',
      access: 'write',
      handler: (request, reply) => {
        // The commands stand before the pack, and have limits of their own.
        const { gitPackMaxBytes, gitRequestInflatedMaxBytes } = hub.config.limits
        const body = openRequestBody(request, 'git-receive-pack', gitPackMaxBytes + gitRequestInflatedMaxBytes)
        const options = { signal: clientSignal(reply) }
        return sendResult(request, reply, 'git-receive-pack', push(hub, request.principal, request.repo, body, options))
      },
    })
  }
}

/** Bodies are streams of any length: read from `request.raw`, never parsed. */
function passBodiesThrough(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
}

async function sendAdvertisement(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const service = requestedService(request)
  if (service === undefined) {
    throw new HoldfastError('AccessDenied', {
      message: 'This server speaks the smart HTTP protocol only, for git-upload-pack and git-receive-pack.',
    })
  }
  const version = versionOf(request, service)
  const advertisement = advertise(hub, request.repo, { service, version })
  return withoutCaching(reply)
    .type(`application/x-${service}-advertisement`)
    .send(await startStream(advertisement, request))
}

async function sendResult(
  request: FastifyRequest,
  reply: FastifyReply,
  service: Service,
  result: ByteStream,
): Promise<FastifyReply> {
  const body = await startStream(result, request)
  return withoutCaching(reply).type(`application/x-${service}-result`).send(body)
}

/** Undefined for a dumb request, for a service we do not have, and where the query names several. */
function requestedService(request: FastifyRequest): Service | undefined {
  const { service } = request.query as { service?: unknown }
  return service === 'git-upload-pack' || service === 'git-receive-pack' ? service : undefined
}

/** There is no version 2 of push: git asks for it all the same, and expects version 0. */
function versionOf(request: FastifyRequest, service: Service): ProtocolVersion {
  const version = parseProtocolVersion(request.headers['git-protocol'])
  return service === 'git-receive-pack' && version === 2 ? 0 : version
}

/** As git http-backend says it, for proxies of HTTP/1.0 as well. */
function withoutCaching(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-cache, max-age=0, must-revalidate')
    .header('pragma', 'no-cache')
    .header('expires', 'Fri, 01 Jan 1980 00:00:00 GMT')
}
