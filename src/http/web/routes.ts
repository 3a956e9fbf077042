/** The pages. */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'
import { homePage } from './home.ts'
import { stylesheet } from './stylesheet.ts'

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** The first page and its stylesheet. */
export function webRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.route({
      method: ['GET', 'HEAD'],
      url: '/',
      config: { access: 'public' },
      handler: async (_request, reply) => reply.headers(pageHeaders).send(homePage(hub.config.publicUrl)),
    })
    server.route({
      method: ['GET', 'HEAD'],
      url: '/style.css',
      config: { access: 'public' },
      handler: async (_request, reply) =>
        reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=3600').send(stylesheet),
    })
  }
}
