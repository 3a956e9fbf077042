/** What every HTTP server here begins with: Fastify over a Node server with our limits. */
import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { type FastifyInstance, fastify } from 'fastify'
import type { Config } from '../config.ts'
import { sendApiError } from './api/errors.ts'
import { holdContinues } from './expect-continue.ts'

/** A server without routes, with the time limits and the handling of what never comes to a route. */
export function createEmptyServer(config: Pick<Config, 'trustProxy' | 'limits'>): FastifyInstance {
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

function createNodeServer({ limits }: Pick<Config, 'limits'>, listener: RequestListener): Server {
  const { httpHeadersTimeoutMs, httpIdleTimeoutMs, httpKeepAliveTimeoutMs } = limits
  // An upload of many GiB takes as long as it takes: only silence ends it.
  const server = createHttpServer({ requestTimeout: 0, headersTimeout: httpHeadersTimeoutMs }, listener)
  server.keepAliveTimeout = httpKeepAliveTimeoutMs
  server.setTimeout(httpIdleTimeoutMs)
  holdContinues(server, listener)
  return server
}
