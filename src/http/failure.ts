/**
 * What an error means in HTTP, before a door writes it in its own form. Statuses follow hub-api.md §1.2, on which Git
 * and LFS agree: who is anonymous and may not read reads 401, whether the repository exists or not.
 */
import type { FastifyRequest } from 'fastify'
import { type ErrorCode, HoldfastError, isHoldfastError } from '../errors.ts'

export interface Failure {
  status: number
  /** Undefined for a defect. */
  code: ErrorCode | undefined
  message: string
  details: Record<string, unknown>
  /** Headers that every door sends with this failure. */
  headers: Record<string, string>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What went wrong, for the log line. */
    failure: { code: ErrorCode | undefined; error: unknown } | undefined
  }
}

const statuses: Record<ErrorCode, number> = {
  RepoNotFound: 404,
  // The method stays, and so does the body: pushes and commits follow as downloads do.
  RepoMoved: 307,
  RevisionNotFound: 404,
  EntryNotFound: 404,
  AccountNotFound: 404,
  TokenNotFound: 404,
  LockNotFound: 404,
  RuleNotFound: 404,
  AddressUnknown: 404,
  CredentialsInvalid: 401,
  CredentialsMissing: 401,
  AccessDenied: 403,
  SignInLimited: 429,
  RateLimited: 429,
  InputInvalid: 400,
  InputTooLarge: 413,
  InputTruncated: 400,
  MediaTypeUnsupported: 415,
  NotAcceptable: 406,
  NameTaken: 409,
  NameReserved: 400,
  PathInvalid: 422,
  BranchMoved: 412,
  Conflict: 409,
  LockExists: 409,
  LinkInvalid: 403,
  PackInvalid: 422,
  ObjectMissing: 422,
  ObjectInvalid: 422,
  BytesMissing: 404,
  LfsMissing: 400,
  BytesMismatch: 422,
  RangeUnsatisfiable: 416,
  StorageFull: 507,
  Unsupported: 501,
  Unavailable: 503,
}

/** Describes `error` for `request`'s door, and keeps it for the request's log line. */
export function describeFailure(error: unknown, request: FastifyRequest): Failure {
  const expected = asExpected(error)
  request.failure = { code: expected?.code, error }
  if (expected === undefined) {
    const message = `Something went wrong on this server. Its log names the request ${request.id}.`
    return { status: 500, code: undefined, message, details: {}, headers: {} }
  }
  const { code, message, details } = expected
  const isHidden = code === 'RepoNotFound' && request.principal?.kind !== 'user'
  const status = isHidden ? 401 : statuses[code]
  return { status, code, message, details, headers: headersOf(status, details) }
}

function headersOf(status: number, details: Record<string, unknown>): Record<string, string> {
  if (status === 429 || status === 503) return { 'retry-after': String(details.retryAfterSeconds ?? 5) }
  if (status === 307) return { location: String(details.location) }
  if (status === 416) return { 'content-range': `bytes */${details.sizeBytes}` }
  return {}
}

/** Fastify's own refusals (a body too large, a wrong content type, a schema not met) in our words. */
function asExpected(error: unknown): HoldfastError | undefined {
  if (isHoldfastError(error)) return error
  const { statusCode, message, code } = error as { statusCode?: number; message?: string; code?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return new HoldfastError('StorageFull', { cause: error })
  if (statusCode === 413) return new HoldfastError('InputTooLarge')
  if (statusCode === 415) return new HoldfastError('MediaTypeUnsupported')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HoldfastError('InputInvalid', { message })
  }
  return undefined
}
