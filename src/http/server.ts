/** The HTTP house: every door in one visible list, and what all of them share. */
import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify'
import type { Config } from '../config.ts'
import type { Hub } from '../hub/hub.ts'
import { decideAccessOnRoutes } from './access.ts'
import { sendApiError } from './api/errors.ts'
import { apiRoutes } from './api/routes.ts'
import { authenticateRequests } from './authentication.ts'
import { bytesRoutes } from './bytes/routes.ts'
import { continueAccepted, holdContinues } from './expect-continue.ts'
import { gitRoutes } from './git/routes.ts'
import { healthRoutes } from './health.ts'
import { lfsRoutes } from './lfs/routes.ts'
import { createTransfers, limitRates } from './limits.ts'
import { createMetrics, metricsRoutes } from './metrics.ts'
import { refuseUnsafePaths } from './path-safety.ts'
import { logRequests } from './request-log.ts'
import { endSlowTransfers } from './slow-clients.ts'
import { skipUnreadBodies } from './unread-body.ts'
import { webRoutes } from './web/routes.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The door the route belongs to, for logs and metrics. */
    door?: string
  }
}

/** A server with all doors, not yet listening; `server.ready()` rejects when a route declares no access. */
export function createServer(hub: Hub): FastifyInstance {
  const transfers = createTransfers(hub.config.limits)
  const metrics = createMetrics(hub, transfers)
  const doors: Record<string, FastifyPluginAsync> = {
    git: gitRoutes(hub, transfers),
    lfs: lfsRoutes(hub),
    bytes: bytesRoutes(hub),
    api: apiRoutes(hub),
    web: webRoutes(hub),
    health: healthRoutes(hub),
    metrics: metricsRoutes(metrics),
  }

  const server = createEmptyServer(hub.config)
  logRequests(server, hub.logger, metrics)
  skipUnreadBodies(server, hub.config.limits.unreadBodyMaxBytes)
  endSlowTransfers(server, hub.config.limits)
  refuseUnsafePaths(server)
  authenticateRequests(server, hub)
  decideAccessOnRoutes(server, hub)
  limitRates(server, hub.config.limits)
  continueAccepted(server)
  server.setErrorHandler(sendApiError)
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'There is nothing at this address.' }))
  for (const [door, routes] of Object.entries(doors)) {
    server.register(async (room) => {
      room.addHook('onRoute', (route) => {
        route.config = { ...route.config, door }
      })
      await room.register(routes)
    })
  }
  return server
}

function createEmptyServer(config: Config): FastifyInstance {
  return fastify({
    logger: false,
    genReqId: () => randomUUID(),
    trustProxy: config.trustProxy === '' ? false : config.trustProxy,
    bodyLimit: config.limits.jsonBodyMaxBytes,
    exposeHeadRoutes: false,
    // What never comes to a route, as its address does not even decode.
    frameworkErrors: (error, request, reply) => {
      sendApiError(error, request, reply.header('x-request-id', request.id))
    },
    // The default of 100 characters is less than a branch name may have.
    routerOptions: { maxParamLength: config.limits.gitPathMaxBytes },
    serverFactory: (listener) => createNodeServer(config, listener),
  })
}

function createNodeServer(config: Config, listener: RequestListener): Server {
  const { httpHeadersTimeoutMs, httpIdleTimeoutMs, httpKeepAliveTimeoutMs } = config.limits
  // An upload of many GiB takes as long as it takes: only silence ends it.
  const server = createHttpServer({ requestTimeout: 0, headersTimeout: httpHeadersTimeoutMs }, listener)
  server.keepAliveTimeout = httpKeepAliveTimeoutMs
  server.setTimeout(httpIdleTimeoutMs)
  holdContinues(server, listener)
  return server
}
