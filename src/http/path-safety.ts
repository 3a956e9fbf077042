/**
 * Refuses paths that no honest client sends and that proxies and file systems read differently: `.` and `..` segments in
 * any encoding, NUL, and percent signs that encode nothing. No entry of a Git tree can have such a name.
 */
import type { FastifyInstance } from 'fastify'
import { HoldfastError } from '../errors.ts'

/** Adds the check to every route registered after it. */
export function refuseUnsafePaths(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const isSafe = isSafePath(pathOf(request.raw.url!))
    done(isSafe ? undefined : new HoldfastError('InputInvalid', { message: 'The path is not valid.' }))
  })
}

/** The path of a request target as it was sent, percent-encoded, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

/** True when no segment of the percent-encoded `path` is `.` or `..` or holds a NUL, and all of it decodes. */
export function isSafePath(path: string): boolean {
  try {
    const decoded = decodeURIComponent(path)
    return !decoded.includes('\0') && !decoded.split('/').some((segment) => segment === '.' || segment === '..')
  } catch {
    return false
  }
}
