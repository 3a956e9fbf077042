/** Statements on access tokens. Only the SHA-256 of a token is ever stored. */
import type { Queryable, StoredRole, UserId } from './queryable.ts'

export interface TokenBearerRow {
  tokenId: string
  tokenName: string
  tokenRole: StoredRole
  userId: UserId
  userName: string
  isAdmin: boolean
  lastUsedAt: Date | null
}

export interface AccessTokenRow {
  tokenId: string
  name: string
  role: StoredRole
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
  revokedAt: Date | null
}

/** Selects the bearer of the token whose hash is the SQL expression `secret`: no row unless token and user are good. */
export function liveBearer(secret: string): string {
  return `
    select t.id as "tokenId", t.name as "tokenName", t.role as "tokenRole", t.last_used_at as "lastUsedAt",
           u.id as "userId", n.name as "userName", u.is_admin as "isAdmin"
      from access_tokens t
      join users u on u.id = t.user_id
      join namespaces n on n.id = u.id
     where t.secret_sha256 = ${secret}
       and t.revoked_at is null
       and (t.expires_at is null or t.expires_at > now())
       and u.disabled_at is null`
}

/** Notes that a token was used, at most once in `intervalSeconds`, whatever the number of servers. */
export async function noteTokenUse(db: Queryable, tokenId: string, intervalSeconds: number): Promise<void> {
  await db.query(
    `update access_tokens
        set last_used_at = now()
      where id = $1 and (last_used_at is null or last_used_at <= now() - make_interval(secs => $2))`,
    [tokenId, intervalSeconds],
  )
}

export interface NewAccessToken {
  userId: UserId
  name: string
  role: StoredRole
  secretSha256: Buffer
  expiresAt: Date | undefined
}

/** Stores a token and returns its id. */
export async function insertToken(db: Queryable, token: NewAccessToken): Promise<string> {
  const rows = await db.query<{ tokenId: string }>(
    `insert into access_tokens (user_id, name, role, secret_sha256, expires_at)
     values ($1, $2, $3, $4, $5)
     returning id as "tokenId"`,
    [token.userId, token.name, token.role, token.secretSha256, token.expiresAt ?? null],
  )
  return rows[0].tokenId
}

/** All tokens of a user, oldest first; revoked and expired ones included. */
export async function listTokens(db: Queryable, userId: UserId): Promise<AccessTokenRow[]> {
  return await db.query<AccessTokenRow>(
    `select id as "tokenId", name, role, created_at as "createdAt", expires_at as "expiresAt",
            last_used_at as "lastUsedAt", revoked_at as "revokedAt"
       from access_tokens
      where user_id = $1
      order by id`,
    [userId],
  )
}

/** Revokes a user's token; false when the user has none of this id. Revoking twice keeps the first time. */
export async function revokeToken(db: Queryable, userId: UserId, tokenId: string): Promise<boolean> {
  const rows = await db.query(
    `update access_tokens
        set revoked_at = coalesce(revoked_at, now())
      where user_id = $1 and id = $2
      returning id`,
    [userId, tokenId],
  )
  return rows.length > 0
}
