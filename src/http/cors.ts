/**
 * Lets pages of any origin read what this server answers, as huggingface.js in a browser does (hub-api.md §1.5). Nothing
 * is told to a page that its own token would not tell it: no credentials of the browser count here.
 */
import type { FastifyInstance } from 'fastify'

/** Headers of answers that clients in a browser read. */
const exposed = [
  ...['X-Repo-Commit', 'X-Request-Id', 'X-Error-Code', 'X-Error-Message', 'X-Total-Count', 'ETag', 'Link'],
  ...['Accept-Ranges', 'Content-Range', 'X-Linked-Size', 'X-Linked-ETag', 'X-Xet-Hash', 'X-Xet-Refresh-Route'],
  ...['X-Xet-Access-Token', 'X-Xet-Cas-Url', 'X-Xet-Token-Expiration', 'RateLimit', 'RateLimit-Policy', 'Retry-After'],
].join(', ')

const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  'access-control-max-age': '86400',
}

/** Adds the headers to every answer, and answers the questions that browsers ask beforehand. */
export function allowAllOrigins(server: FastifyInstance): void {
  // Always, whoever asks: a cache may keep the answer for somebody else.
  server.addHook('onRequest', (_request, reply, done) => {
    reply.header('access-control-allow-origin', '*').header('access-control-expose-headers', exposed)
    done()
  })
  server.register(async (room) => {
    room.options('/*', {
      config: { access: 'public' },
      handler: (request, reply) =>
        reply
          .code(204)
          .headers(preflight)
          // By name: a star does not stand for Authorization.
          .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*')
          .header('vary', 'Access-Control-Request-Headers')
          .send(),
    })
  })
}
