/**
 * The nonce of signed pushes, as git's receive-pack makes it (`receive.certNonceSeed`, `receive.certNonceSlop`): a time
 * and an HMAC over it and the repository. It needs no memory, so that the server which checks it need not be the one
 * that gave it out.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface NonceKey {
  seed: string | Buffer
  /** What names the repository to the server: a nonce for one is none for another. */
  repository: string
}

/** What a certificate's nonce is worth: `slop` is one that we gave out, at another time than may be. */
export type NonceStatus = 'ok' | 'slop' | 'bad' | 'missing'

/** The nonce of the second `seconds` since 1970. */
export function formatPushNonce({ seed, repository }: NonceKey, seconds: number): string {
  // git takes the seed for the text and the rest for the key: so that both serve one repository, so do we.
  return `${seconds}-${createHmac('sha1', `${repository}:${seconds}`).update(seed).digest('hex')}`
}

/** Judges the nonce of a certificate that arrives in the second `nowSeconds`. */
export function checkPushNonce(
  nonce: string | undefined,
  key: NonceKey,
  { nowSeconds, slopSeconds }: { nowSeconds: number; slopSeconds: number },
): NonceStatus {
  if (nonce === undefined || nonce === '') return 'missing'
  const seconds = Number(/^(\d{1,15})-/.exec(nonce)?.[1])
  if (Number.isNaN(seconds)) return 'bad'
  const [given, expected] = [Buffer.from(nonce), Buffer.from(formatPushNonce(key, seconds))]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'bad'
  return Math.abs(nowSeconds - seconds) <= slopSeconds ? 'ok' : 'slop'
}
