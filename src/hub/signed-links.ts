/**
 * Links to this server that carry their own permission, for where the bucket offers none: like a presigned URL, whoever
 * holds one may do that one thing until it expires. Signed with the secret that all servers of the instance share.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { HoldfastError } from '../errors.ts'
import type { Hub } from './hub.ts'

/** Under this path lie all signed links. */
export const linksPath = '/api/bytes'

export interface LinkTarget {
  /** A link for GET is good for HEAD too. */
  method: 'GET' | 'HEAD' | 'PUT' | 'POST'
  /** The segments of the path behind `linksPath`, not encoded. */
  parts: readonly string[]
}

/** As parsed from the URL, unchecked: a name that stands there twice has a list of values. */
export interface LinkQuery {
  expires?: unknown
  signature?: unknown
}

type Signer = Pick<Hub, 'secret'>

/** The absolute URL that lets its holder do `target` for so long. */
export function signLink(hub: Signer & Pick<Hub, 'config'>, target: LinkTarget, expiresInSeconds: number): string {
  const expires = String(Math.floor(Date.now() / 1000) + expiresInSeconds)
  const path = target.parts.map(encodeURIComponent).join('/')
  const signature = computeSignature(hub.secret, target, expires).toString('base64url')
  return `${hub.config.publicUrl}${linksPath}/${path}?expires=${expires}&signature=${signature}`
}

/** Throws LinkInvalid unless `query` was signed for exactly `target` and has not expired. */
export function checkLink(hub: Signer, target: LinkTarget, query: LinkQuery): void {
  const { expires, signature } = query
  if (typeof expires !== 'string' || typeof signature !== 'string') throw new HoldfastError('LinkInvalid')
  const presented = Buffer.from(signature, 'base64url')
  const expected = computeSignature(hub.secret, target, expires)
  // Lengths are no secret; equal lengths are compared in constant time.
  const isSigned = presented.length === expected.length && timingSafeEqual(presented, expected)
  if (!isSigned || Number(expires) * 1000 <= Date.now()) throw new HoldfastError('LinkInvalid')
}

function computeSignature(secret: Buffer, target: LinkTarget, expires: string): Buffer {
  const method = target.method === 'HEAD' ? 'GET' : target.method
  // As JSON, so that no two different lists of parts read the same. The first word keeps links apart from whatever else
  // the secret signs.
  return createHmac('sha256', secret)
    .update(JSON.stringify(['link', method, ...target.parts, expires]))
    .digest()
}
