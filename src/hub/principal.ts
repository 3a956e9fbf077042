/** Who asks. Decided once per request from its credentials; rules never see headers. */
import type { UserId } from '../database/queryable.ts'

/** In ascending order. */
export const roles = ['read', 'write', 'admin'] as const
export type Role = (typeof roles)[number]

export interface UserPrincipal {
  kind: 'user'
  userId: UserId
  userName: string
  isAdmin: boolean
  /** The most that this credential may do: a token's role, or admin for a password. */
  role: Role
  tokenId: string | undefined
  tokenName: string | undefined
}

export type Principal = { kind: 'anonymous' } | UserPrincipal

export const anonymous: Principal = { kind: 'anonymous' }

/** Whoever sits at the server's own command line: may do everything, and is no account. Never made from a request. */
export interface Operator {
  kind: 'operator'
}

export const operator: Operator = { kind: 'operator' }

export type Actor = Principal | Operator
