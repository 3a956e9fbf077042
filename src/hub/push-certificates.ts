/** Certificates of signed pushes: recorded with the push, their nonce checked; the signature is left to who has the keys. */
import { createHmac } from 'node:crypto'
import type { PushDetails } from '../database/pushes.ts'
import type { PushRequest } from '../git/host.ts'
import { checkPushNonce, formatPushNonce, type NonceKey } from '../git/protocol/push-nonce.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'

// So that an advertisement that was rendered may be sent again for as long.
const nonceStepSeconds = 60

/** What a signed push to `repo` is to contain; the same on all servers, and for a minute. */
export function pushNonce(hub: Hub, repo: Repo): string {
  const seconds = nowSeconds()
  return formatPushNonce(nonceKey(hub, repo), seconds - (seconds % nonceStepSeconds))
}

/** What is kept of a push beside the moves of its refs; undefined for most pushes. */
export function detailsOf(
  hub: Hub,
  repo: Repo,
  { pushOptions, certificate }: Pick<PushRequest, 'pushOptions' | 'certificate'>,
): PushDetails | undefined {
  if (certificate === undefined) return pushOptions.length === 0 ? undefined : { options: pushOptions, certificate }
  const { bytes, pusher, nonce } = certificate
  const nonceStatus = checkPushNonce(nonce, nonceKey(hub, repo), {
    nowSeconds: nowSeconds(),
    slopSeconds: hub.config.limits.pushNonceSlopSeconds,
  })
  return { options: pushOptions, certificate: { bytes, pusher, nonceStatus } }
}

function nonceKey(hub: Hub, repo: Repo): NonceKey {
  return { seed: createHmac('sha256', hub.secret).update('push certificate nonce').digest(), repository: repo.id }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
