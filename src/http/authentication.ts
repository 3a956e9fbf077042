/** Who asks: Basic or Bearer credentials become `request.principal`, once per request and before anything else. */
import type { FastifyInstance } from 'fastify'
import { HoldfastError } from '../errors.ts'
import { authenticate } from '../hub/authenticate.ts'
import type { Credentials } from '../hub/credentials.ts'
import type { Hub } from '../hub/hub.ts'
import { anonymous, type Principal } from '../hub/principal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal
  }
}

/** Adds the authentication to every route registered after it. */
export function authenticateRequests(server: FastifyInstance, hub: Hub): void {
  server.decorateRequest('principal')
  server.addHook('onRequest', async (request) => {
    request.principal = anonymous
    // On a route of a repository both are looked up at once, by access.ts.
    if (request.is404 || request.routeOptions.config.repoType !== undefined) return
    const credentials = readCredentials(request.headers.authorization)
    if (credentials.kind !== 'none') request.principal = await authenticate(hub, credentials, request.ip)
  })
}

/** Parses an Authorization header (RFC 7617, RFC 6750). Throws CredentialsInvalid for any other scheme or form. */
export function readCredentials(header: string | undefined): Credentials {
  if (header === undefined) return { kind: 'none' }
  const [, scheme, value] = /^(basic|bearer) +([\x21-\x7e]+) *$/i.exec(header) ?? []
  if (scheme === undefined) throw new HoldfastError('CredentialsInvalid')
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token: value! }
  const decoded = Buffer.from(value!, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 0) throw new HoldfastError('CredentialsInvalid')
  return { kind: 'basic', user: decoded.slice(0, colon), secret: decoded.slice(colon + 1) }
}
