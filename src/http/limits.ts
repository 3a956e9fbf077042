/**
 * How much one caller may ask of this server: requests a minute, and transfers at once (admission.ts). Health and metrics
 * are asked by those who look after the server, and never limited.
 */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HoldfastError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { Admission, type Caller } from './admission.ts'

export interface Transfers {
  /** Clones and fetches, from where objects are read on: refs are listed for everybody. */
  fetches: Admission
  pushes: Admission
}

/** The places of one server. */
export function createTransfers(limits: Limits): Transfers {
  const queue = {
    queuedMax: limits.transfersQueuedMax,
    queuedPerCallerMax: limits.transfersQueuedPerCallerMax,
    queueTimeoutMs: limits.transferQueueTimeoutMs,
  }
  return {
    fetches: new Admission('clones and fetches', {
      atOnceMax: limits.fetchesAtOnceMax,
      perUserMax: limits.fetchesPerUserMax,
      perAddressMax: limits.fetchesPerAddressMax,
      ...queue,
    }),
    pushes: new Admission('pushes', {
      atOnceMax: limits.pushesAtOnceMax,
      perUserMax: limits.pushesPerUserMax,
      perAddressMax: limits.pushesPerAddressMax,
      ...queue,
    }),
  }
}

/** Whose places a transfer takes. */
export function callerOf({ principal, ip }: FastifyRequest): Caller {
  return { userId: principal.kind === 'user' ? principal.userId : undefined, address: ip }
}

/** Refuses requests above the rate of their user, or of their address where nobody signed in. 0: any rate. */
export function limitRates(server: FastifyInstance, { requestsPerMinuteMax }: Limits): void {
  if (requestsPerMinuteMax === 0) return
  server.register(rateLimit, {
    max: requestsPerMinuteMax,
    timeWindow: 60_000,
    cache: callersMax,
    keyGenerator: (request) => {
      const { userId, address } = callerOf(request)
      return userId === undefined ? `address ${address}` : `user ${userId}`
    },
    errorResponseBuilder: (_request, { ttl }) => {
      const retryAfterSeconds = Math.ceil(ttl / 1000)
      return new HoldfastError('RateLimited', {
        message: `More than ${requestsPerMinuteMax} requests in a minute. Try again in ${retryAfterSeconds} seconds.`,
        details: { retryAfterSeconds },
      })
    },
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  })
}

/** So many are counted at once; who asked longest ago is forgotten. */
const callersMax = 100_000
