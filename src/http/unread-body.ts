/**
 * What happens to a body that nobody read to its end, because its request was refused. Node skips all of it where
 * nothing was read, however much it is, and stops at where it was left otherwise. Here the rest is skipped up to a
 * limit, so that a small refused request keeps its connection and a refused push of many GiB is cut off.
 */
import type { FastifyInstance } from 'fastify'

/** Skips up to `maxBytes` of what is left after a response, then closes the connection. */
export function skipUnreadBodies(server: FastifyInstance, maxBytes: number): void {
  server.addHook('onRequest', ({ raw }, reply, done) => {
    // Before Node's own listener, which would take the body away from the one below.
    reply.raw.prependOnceListener('finish', () => {
      if (raw.complete || raw.destroyed) return
      let skippedBytes = 0
      raw.on('data', (chunk: Buffer) => {
        skippedBytes += chunk.length
        if (skippedBytes > maxBytes) raw.destroy()
      })
      raw.on('error', () => {})
      // Counts as consumed from now on.
      raw.read(0)
    })
    done()
  })
}
