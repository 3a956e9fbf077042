/**
 * Git smart HTTP over a folder of repositories, for those on this machine: the same routes, without accounts, so that only
 * who reaches the address is asked for nothing.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { GitService } from '../../git/protocol/capabilities.ts'
import type { Limits } from '../../limits.ts'
import { passBodiesThrough } from '../byte-stream.ts'
import { createEmptyServer } from '../empty-server.ts'
import { continueAccepted } from '../expect-continue.ts'
import { describeFailure } from '../failure.ts'
import { refuseUnsafePaths } from '../path-safety.ts'
import { skipUnreadBodies } from '../unread-body.ts'
import { refuseForeignHosts } from './foreign-hosts.ts'
import { type SmartDoor, smartRoutes } from './smart-routes.ts'

/** What stands behind the door. Each stream closes what it opened when it ends or is left. */
export interface FolderHost {
  limits: Limits
  /** Throws RepoNotFound, AccessDenied, Unsupported. */
  advertise(path: string, request: FolderRequest): Promise<ByteStream>
  answer(path: string, request: FolderRequest, body: ByteStream, signal: AbortSignal): Promise<ByteStream>
}

export interface FolderRequest {
  service: GitService
  /** The Git-Protocol header. */
  protocol: string | string[] | undefined
}

export interface FolderServerOptions {
  /** Told of defects. */
  onDefect(error: unknown): void
  /** Only those on this machine may connect: then only names of this machine are answered to. */
  isLoopback: boolean
}

/** A server for every repository of `host`, not yet listening. */
export function createFolderServer(host: FolderHost, options: FolderServerOptions): FastifyInstance {
  const server = createEmptyServer({ trustProxy: '', limits: host.limits })
  skipUnreadBodies(server, host.limits.unreadBodyMaxBytes)
  refuseUnsafePaths(server)
  if (options.isLoopback) refuseForeignHosts(server)
  continueAccepted(server)
  server.decorateRequest('failure', undefined)
  server.setErrorHandler((error, request, reply) => sendFolderError(error, request, reply, options))
  passBodiesThrough(server)
  const routes = smartRoutes(folderDoor(host))
  server.route({
    method: ['GET', 'POST'],
    url: '/*',
    handler: (request, reply) => {
      const path = addressOf(request)
      const route = routes.find((each) => each.method === request.method && path.endsWith(each.path))
      if (route !== undefined) return route.handler(request, reply)
      throw new HoldfastError('AccessDenied', {
        message: 'This server speaks the smart HTTP protocol of Git only: clone, fetch and push from this address.',
      })
    },
  })
  return server
}

function folderDoor(host: FolderHost): SmartDoor {
  const asked = (request: FastifyRequest, service: GitService): FolderRequest => ({
    service,
    protocol: request.headers['git-protocol'],
  })
  return {
    limits: host.limits,
    advertise: (request, service) => host.advertise(repositoryOf(request), asked(request, service)),
    fetch: (request, body, signal) =>
      host.answer(repositoryOf(request), asked(request, 'git-upload-pack'), body, signal),
    push: (request, body, signal) =>
      host.answer(repositoryOf(request), asked(request, 'git-receive-pack'), body, signal),
  }
}

/** The decoded path, with its leading slash. */
function addressOf(request: FastifyRequest): string {
  return `/${(request.params as { '*': string })['*']}`
}

function repositoryOf(request: FastifyRequest): string {
  return addressOf(request).replace(/\/(info\/refs|git-upload-pack|git-receive-pack)$/, '')
}

function sendFolderError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { onDefect }: FolderServerOptions,
): FastifyReply {
  const { status, code, message, headers } = describeFailure(error, request)
  if (code === undefined) onDefect(error)
  return reply
    .code(code === 'RepoNotFound' ? 404 : status)
    .headers(headers)
    .header('cache-control', 'no-cache')
    .type('text/plain; charset=utf-8')
    .send(`${message}\n`)
}
