/** Access tokens of users: shown once when made, listed and revoked by their ids. */
import { type AccessTokenRow, insertToken, listTokens, revokeToken } from '../database/access-tokens.ts'
import { HoldfastError } from '../errors.ts'
import { getUser } from './accounts.ts'
import { hashToken, newToken } from './credentials.ts'
import type { Hub } from './hub.ts'
import type { Role } from './principal.ts'

export interface NewToken {
  userName: string
  /** The most that the token may do, whatever the user may. */
  role: Role
  /** What the user knows it by; need not be unique. */
  name: string
  /** Absent: it does not expire. */
  expiresAt?: Date
}

/** Makes a token and returns it: the only moment at which it is known. Throws AccountNotFound or InputInvalid. */
export async function createToken(hub: Hub, { userName, role, name, expiresAt }: NewToken): Promise<string> {
  if (name.length < 1 || name.length > hub.config.limits.tokenNameMaxLength) {
    throw new HoldfastError('InputInvalid', {
      message: `A token's name must have 1 to ${hub.config.limits.tokenNameMaxLength} characters.`,
    })
  }
  const user = await getUser(hub, userName)
  const token = newToken()
  await insertToken(hub.database, { userId: user.userId, name, role, secretSha256: hashToken(token), expiresAt })
  return token
}

/** All tokens of a user, oldest first, without their secrets. Throws AccountNotFound. */
export async function listTokensOf(hub: Hub, userName: string): Promise<AccessTokenRow[]> {
  const user = await getUser(hub, userName)
  return await listTokens(hub.database, user.userId)
}

/** Ends a token, from the next request on. Throws AccountNotFound or TokenNotFound. */
export async function revokeTokenOf(hub: Hub, userName: string, tokenId: string): Promise<void> {
  const user = await getUser(hub, userName)
  const isRevoked = /^\d{1,18}$/.test(tokenId) && (await revokeToken(hub.database, user.userId, tokenId))
  if (isRevoked) return
  throw new HoldfastError('TokenNotFound', {
    message: `${user.name} has no token with the id "${tokenId}". "token list ${user.name}" shows the ids.`,
  })
}
