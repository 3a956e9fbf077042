/**
 * What happens to a body that nobody read to its end, because its request was refused. Node skips it only where nothing
 * was read at all; and a client that goes on to send many GiB of a refused push is cut off.
 */
import type { FastifyInstance } from 'fastify'

/** Skips up to `maxBytes` of what is left after a response, then closes the connection. */
export function skipUnreadBodies(server: FastifyInstance, maxBytes: number): void {
  server.addHook('onRequest', async ({ raw }, reply) => {
    reply.raw.once('finish', () => {
      if (raw.complete || raw.destroyed) return
      let skippedBytes = 0
      raw.on('data', (chunk: Buffer) => {
        skippedBytes += chunk.length
        if (skippedBytes > maxBytes) raw.destroy()
      })
      raw.on('error', () => {})
    })
  })
}
