/** From a server to one that answers, and back: a stop lets running transfers finish and takes nothing new. */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { hostInUrl } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Limits } from '../limits.ts'

export interface ListeningServer {
  /** Where it listens, as this machine would reach it. */
  url: string
  /** Resolves when the last transfer has ended, or been cut off after `gracefulStopMs`. */
  close(): Promise<void>
}

/** How often connections whose last response has ended are looked for during a stop. */
const idlePollMs = 50

export interface ListenOptions {
  host: string
  port: number
  limits: Pick<Limits, 'gracefulStopMs'>
  /** What the operator can do about an address that cannot be had. */
  remedy: string
}

/** Rejects when the address is taken, and when a route refuses to boot. */
export async function listenOn(server: FastifyInstance, options: ListenOptions): Promise<ListeningServer> {
  const { host, port, limits, remedy } = options
  await server.listen({ host, port }).catch((error: unknown) => {
    throw explainAddress(error, `${hostInUrl(host)}:${port}`, remedy)
  })
  const address = server.server.address() as AddressInfo
  const url = `http://${hostInUrl(host)}:${address.port}`
  return { url, close: () => stop(server, limits.gracefulStopMs) }
}

/** What is wrong with the address, for the operator who chose it. */
function explainAddress(error: unknown, address: string, remedy: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || (syscall !== 'listen' && syscall !== 'getaddrinfo')) return error
  return new HoldfastError('Conflict', {
    message: `Holdfast cannot listen on ${address}: ${addressFaults[code] ?? code}. ${remedy}`,
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
