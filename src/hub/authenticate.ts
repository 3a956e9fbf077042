/** From credentials to a principal. The one place that knows when a token or a password counts. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'
import { lookUpAccess } from '../database/access-lookups.ts'
import { noteTokenUse, type TokenBearerRow } from '../database/access-tokens.ts'
import { countSignInAttempt, forgetSignInAttempt } from '../database/sign-in-failures.ts'
import { findUserSignIn } from '../database/users.ts'
import { HoldfastError } from '../errors.ts'
import { type Credentials, hashToken, isToken, verifyPassword } from './credentials.ts'
import type { Hub } from './hub.ts'
import { anonymous, type Principal } from './principal.ts'

/**
 * Who sends these credentials from `address` (an IP address). A token may come as Bearer, as Basic password with any user
 * name, or as Basic user name. Throws CredentialsInvalid, and SignInLimited (details.retryAfterSeconds) after too many
 * failures of an account or an address; a valid token is never limited.
 */
export async function authenticate(hub: Hub, credentials: Credentials, address: string): Promise<Principal> {
  const token = tokenIn(credentials)
  if (token === undefined) return await authenticateWithoutToken(hub, credentials, address)
  const { bearer } = await lookUpAccess(hub.database, { secretSha256: hashToken(token) })
  return await acceptBearer(hub, bearer, address)
}

/** The token among the credentials, wherever it stands: whatever comes as Bearer is taken for one. */
export function tokenIn(credentials: Credentials): string | undefined {
  if (credentials.kind === 'none') return undefined
  if (credentials.kind === 'bearer') return credentials.token
  return [credentials.secret, credentials.user].find(isToken)
}

/** As `authenticate`, for credentials in which no token was found. */
export async function authenticateWithoutToken(hub: Hub, credentials: Credentials, address: string) {
  if (credentials.kind !== 'basic') return anonymous
  return await authenticatePassword(hub, credentials.user, credentials.secret, address)
}

/** The principal that a token's bearer is. Without one, throws as `authenticate`. */
export async function acceptBearer(hub: Hub, bearer: TokenBearerRow | undefined, address: string): Promise<Principal> {
  if (bearer === undefined) {
    await countAttempt(hub, [addressSubject(address)])
    throw new HoldfastError('CredentialsInvalid')
  }
  noteUse(hub, bearer)
  const { userId, userName, isAdmin, tokenRole, tokenId, tokenName } = bearer
  return { kind: 'user', userId, userName, isAdmin, role: tokenRole, tokenId, tokenName }
}

const noteUseIntervalSeconds = 60
const noting = new Set<string>()

/** Notes the use of a token beside the request, which does not wait for it and does not fail with it. */
function noteUse(hub: Hub, { tokenId, lastUsedAt }: TokenBearerRow): void {
  const isRecent = lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < noteUseIntervalSeconds * 1000
  if (isRecent || noting.has(tokenId)) return
  noting.add(tokenId)
  noteTokenUse(hub.database, tokenId, noteUseIntervalSeconds)
    .catch((error) => hub.logger.warn({ err: error, tokenId }, 'could not note the use of a token'))
    .finally(() => noting.delete(tokenId))
}

async function authenticatePassword(hub: Hub, name: string, password: string, address: string): Promise<Principal> {
  const user = await findUserSignIn(hub.database, name)
  const stored = user?.passwordHash ?? undefined
  const proof = proofOf(name, password, stored)
  if (proven.get(proof) !== true) {
    await proveInOneFlight(hub, proof, { name, password, stored, address })
    proven.set(proof, true, { ttl: hub.config.limits.passwordProvenForSeconds * 1000 })
  }
  if (user === undefined) throw new HoldfastError('CredentialsInvalid')
  const { userId, userName, isAdmin } = user
  return { kind: 'user', userId, userName, isAdmin, role: 'admin', tokenId: undefined, tokenName: undefined }
}

// Passwords that were proven a moment ago, as HMACs with a key that dies with the process. The stored hash is part of
// each, so that a changed password ends its proofs; a disabled user is not found in the first place.
const proofKey = randomBytes(32)
const proven = new LRUCache<string, true>({ max: 10_000, ttl: 1 })
const proving = new Map<string, Promise<void>>()

function proofOf(name: string, password: string, stored: string | undefined): string {
  const hmac = createHmac('sha256', proofKey)
  for (const part of [name.toLowerCase(), stored ?? '', password]) hmac.update(`${Buffer.byteLength(part)}:${part}`)
  return hmac.digest('base64')
}

interface Attempt {
  name: string
  password: string
  stored: string | undefined
  address: string
}

/** git-lfs opens eight connections at once: the same attempt costs one check and counts once. */
async function proveInOneFlight(hub: Hub, proof: string, attempt: Attempt): Promise<void> {
  let flight = proving.get(proof)
  if (flight === undefined) {
    flight = prove(hub, attempt).finally(() => proving.delete(proof))
    proving.set(proof, flight)
  }
  await flight
}

/** Resolves if the password is right. Throws CredentialsInvalid, SignInLimited or Unavailable. */
async function prove(hub: Hub, { name, password, stored, address }: Attempt): Promise<void> {
  const { limits } = hub.config
  const subjects = [accountSubject(name), addressSubject(address)]
  await countAttempt(hub, subjects)
  if (password.length > limits.passwordMaxLength) throw new HoldfastError('CredentialsInvalid')
  let isFailure = false
  try {
    isFailure = !(await verifyPassword(password, stored, limits))
  } finally {
    if (!isFailure) await forgetSignInAttempt(hub.database, subjects, limits.signInWindowSeconds)
  }
  if (isFailure) throw new HoldfastError('CredentialsInvalid')
}

/** Counts an attempt. Throws SignInLimited when one of its subjects has failed too often in this window. */
async function countAttempt(hub: Hub, subjects: string[]): Promise<void> {
  const { signInFailuresMax, signInFailuresPerAddressMax, signInWindowSeconds } = hub.config.limits
  const counts = await countSignInAttempt(hub.database, subjects, signInWindowSeconds)
  const over = counts.find(({ subject, failures }) => {
    return failures > (subject.startsWith('address:') ? signInFailuresPerAddressMax : signInFailuresMax)
  })
  if (over === undefined) return
  throw new HoldfastError('SignInLimited', {
    message: `Too many failed sign-ins. Wait ${over.retryAfterSeconds} seconds, then try again.`,
    details: { retryAfterSeconds: over.retryAfterSeconds },
  })
}

/** Hashed, as a name from outside may be of any length and hold anything, even a password typed into the wrong field. */
function accountSubject(name: string): string {
  return `account:${createHash('sha256').update(name.toLowerCase()).digest('hex')}`
}

/** IPv6 by its first 64 bits, the least that a customer is given: a new address for each guess is free. */
function addressSubject(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(v4) || !isIPv6(address)) return `address:${v4}`
  const [head, tail] = address.split('%')[0].split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length
    while (groups.length + behind < 8 && groups.length < 4) groups.push('0')
    groups.push(...(tail === '' ? [] : tail.split(':')))
  }
  return `address:${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
