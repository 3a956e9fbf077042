/**
 * How many requests a minute one caller may make of this server, told with every answer as the Hub tells it (`RateLimit`,
 * `RateLimit-Policy`). Health and metrics are asked by those who look after the server, and never limited.
 */
import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'
import { HoldfastError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { callerOf } from './limits.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests of this route are not counted. */
    isUncounted?: true
  }
}

const windowMs = 60_000
/** So many are counted at once; who asked longest ago is forgotten. */
const callersMax = 100_000

interface Window {
  endsAt: number
  requests: number
}

/** Refuses requests above the rate of their user, or of their address where nobody signed in. 0: any rate. */
export function limitRates(server: FastifyInstance, { requestsPerMinuteMax }: Limits): void {
  if (requestsPerMinuteMax === 0) return
  const windows = new LRUCache<string, Window>({ max: callersMax })
  const policy = `"fixed window";"api";q=${requestsPerMinuteMax};w=${windowMs / 1000}`
  server.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config?.isUncounted) return done()
    const { userId, address } = callerOf(request)
    const window = countIn(windows, userId === undefined ? `address ${address}` : `user ${userId}`)
    const left = Math.max(0, requestsPerMinuteMax - window.requests)
    const seconds = Math.ceil((window.endsAt - Date.now()) / 1000)
    reply.header('ratelimit', `"api";r=${left};t=${seconds}`).header('ratelimit-policy', policy)
    done(window.requests > requestsPerMinuteMax ? tooMany(requestsPerMinuteMax, seconds) : undefined)
  })
}

function countIn(windows: LRUCache<string, Window>, caller: string): Window {
  const now = Date.now()
  let window = windows.get(caller)
  if (window === undefined || window.endsAt <= now) {
    window = { endsAt: now + windowMs, requests: 0 }
    windows.set(caller, window)
  }
  window.requests++
  return window
}

function tooMany(max: number, retryAfterSeconds: number): HoldfastError {
  return new HoldfastError('RateLimited', {
    message: `More than ${max} requests in a minute. Try again in ${retryAfterSeconds} seconds.`,
    details: { retryAfterSeconds },
  })
}
