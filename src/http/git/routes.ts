/** Git smart HTTP for hosted repositories. */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ClientNotes } from '../../git/host.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { ProtocolVersion } from '../../git/protocol/capabilities.ts'
import { parseProtocolVersion } from '../../git/protocol/protocol-version.ts'
import type { RouteAccess } from '../../hub/access.ts'
import { advertise, fetch } from '../../hub/fetch.ts'
import type { Hub } from '../../hub/hub.ts'
import { push } from '../../hub/push.ts'
import { passBodiesThrough } from '../byte-stream.ts'
import { callerOf, type Transfers } from '../limits.ts'
import { repoRoute } from '../repo-route.ts'
import { sendGitError } from './errors.ts'
import { requestedService, type SmartDoor, type SmartRoute, smartRoutes } from './smart-routes.ts'

const accesses: Record<SmartRoute['path'], RouteAccess | ((request: FastifyRequest) => RouteAccess)> = {
  '/info/refs': (request) => (requestedService(request) === 'git-receive-pack' ? 'write' : 'read'),
  '/git-upload-pack': 'read',
  '/git-receive-pack': 'write',
}

/** The routes of the smart protocol for all repositories. */
export function gitRoutes(hub: Hub, transfers: Transfers): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendGitError)
    passBodiesThrough(server)
    for (const route of smartRoutes(hostedDoor(hub, transfers))) {
      repoRoute(server, { ...route, access: accesses[route.path] })
    }
  }
}

function hostedDoor(hub: Hub, transfers: Transfers): SmartDoor {
  return {
    limits: hub.config.limits,
    async advertise(request, service) {
      checkPlaces(transfers, request)
      return await advertise(hub, request.repo, { service, version: versionOf(request) })
    },
    async fetch(request, body, signal) {
      const admit = () => transfers.fetches.enter(callerOf(request), signal)
      const noteClient = (notes: ClientNotes) => {
        request.gitClient = notes
      }
      return await fetch(hub, request.repo, body, { version: versionOf(request), signal, admit, noteClient })
    },
    async push(request, body, signal) {
      const leave = await transfers.pushes.enter(callerOf(request), signal)
      return leaving(push(hub, request.principal, request.repo, body, { signal }), leave)
    },
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

function versionOf(request: FastifyRequest): ProtocolVersion {
  return parseProtocolVersion(request.headers['git-protocol'])
}
