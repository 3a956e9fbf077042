/** From a server to one that answers, and back: a stop lets running transfers finish and takes nothing new. */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { hostInUrl } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { createServer } from './server.ts'

export interface ListeningServer {
  /** Where it listens, as this machine would reach it. */
  url: string
  /** Resolves when the last transfer has ended, or been cut off after `gracefulStopMs`. */
  close(): Promise<void>
}

/** How often connections whose last response has ended are looked for during a stop. */
const idlePollMs = 50

/**
 * Listens on HOST and PORT. Where PORT is 0 and nothing else was configured, the public URL becomes the address that the
 * system chose. Rejects when the address is taken, and when a route declares no access.
 */
export async function startListening(hub: Hub): Promise<ListeningServer> {
  const { config } = hub
  const server = createServer(hub)
  await server.listen({ host: config.host, port: config.port }).catch((error: unknown) => {
    throw explainAddress(error, `${hostInUrl(config.host)}:${config.port}`)
  })
  const { port } = server.server.address() as AddressInfo
  const url = `http://${hostInUrl(config.host)}:${port}`
  if (config.port === 0 && config.publicUrl.endsWith(':0')) config.publicUrl = url
  return { url, close: () => stop(server, config.limits.gracefulStopMs) }
}

/** What is wrong with the address, for the operator who chose it. */
function explainAddress(error: unknown, address: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || (syscall !== 'listen' && syscall !== 'getaddrinfo')) return error
  return new HoldfastError('Conflict', {
    message: `Holdfast cannot listen on ${address}: ${addressFaults[code] ?? code}. Set HOST and PORT.`,
    cause: error,
  })
}

const addressFaults: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  ENOTFOUND: 'no such name',
}

async function stop(server: FastifyInstance, gracefulStopMs: number): Promise<void> {
  // Fastify answers 503 with `Connection: close` on connections that are still open, /readyz included.
  const closing = server.close()
  // A kept connection becomes idle only when its response has ended: Node itself looks once, when the stop begins.
  const idle = setInterval(() => server.server.closeIdleConnections(), idlePollMs)
  const late = setTimeout(() => server.server.closeAllConnections(), gracefulStopMs)
  try {
    await closing
  } finally {
    clearInterval(idle)
    clearTimeout(late)
  }
}
