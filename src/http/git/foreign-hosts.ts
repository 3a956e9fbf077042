/**
 * A server that asks nobody for a password must not answer pages of the web: a page whose name was made to lead to this
 * machine (DNS rebinding) sends its own name in `Host`.
 */
import type { FastifyInstance } from 'fastify'
import { HoldfastError } from '../../errors.ts'

const ownName = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** Refuses requests to any name that is not this machine's own. A client without `Host` (HTTP/1.0) is no page. */
export function refuseForeignHosts(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ headers: { host } }) => {
    if (host === undefined || ownName.test(host)) return
    throw new HoldfastError('AccessDenied', {
      message: `This server answers to names of its own machine only, not to ${host}. Give --host to serve others.`,
    })
  })
}
