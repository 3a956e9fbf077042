/** The HTTP house: every door in one visible list, and what all of them share. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import packageJson from '../../package.json' with { type: 'json' }
import type { Hub } from '../hub/hub.ts'
import { decideAccessOnRoutes } from './access.ts'
import { sendApiError } from './api/errors.ts'
import { apiRoutes } from './api/routes.ts'
import { refuseUnknownAddress } from './api/unknown-address.ts'
import { authenticateRequests } from './authentication.ts'
import { bytesRoutes } from './bytes/routes.ts'
import { allowAllOrigins } from './cors.ts'
import { createEmptyServer } from './empty-server.ts'
import { continueAccepted } from './expect-continue.ts'
import { gitRoutes } from './git/routes.ts'
import { healthRoutes } from './health.ts'
import { lfsRoutes } from './lfs/routes.ts'
import { createTransfers } from './limits.ts'
import { createMetrics, metricsRoutes } from './metrics.ts'
import { documentRoutes } from './openapi.ts'
import { refuseUnsafePaths } from './path-safety.ts'
import { limitRates } from './rates.ts'
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
    api: apiRoutes(hub, transfers),
    web: webRoutes(hub),
    health: healthRoutes(hub),
    metrics: metricsRoutes(metrics),
  }

  const server = createEmptyServer(hub.config)
  logRequests(server, hub.logger, metrics)
  skipUnreadBodies(server, hub.config.limits.unreadBodyMaxBytes)
  endSlowTransfers(server, hub.config.limits)
  allowAllOrigins(server)
  refuseUnsafePaths(server)
  authenticateRequests(server, hub)
  decideAccessOnRoutes(server, hub)
  limitRates(server, hub.config.limits)
  continueAccepted(server)
  server.setErrorHandler(sendApiError)
  documentRoutes(server, packageJson.version)
  server.setNotFoundHandler(refuseUnknownAddress)
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
