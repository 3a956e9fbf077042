/**
 * What went wrong in the store, in words that may be shown and logged. The client's own errors carry whole answers (a
 * store quotes the signed request when a signature is wrong), so they are never passed on, not even as a cause.
 */
import { HoldfastError } from '../errors.ts'

const retryableCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'OperationAborted',
])

/** The store's code (`NoSuchKey`) or the system's (`ECONNRESET`); empty where there is none. */
export function storeErrorCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** The key has no bytes. A HEAD has no body, so that its 404 is only `NotFound`. */
export function isMissing(error: unknown): boolean {
  const code = storeErrorCode(error)
  return code === 'NoSuchKey' || code === 'NotFound'
}

/** The connection broke or the store asks for patience: the same request may pass a moment later. */
export function isTransient(error: unknown): boolean {
  if (retryableCodes.has(storeErrorCode(error))) return true
  // minio 8.0.7 throws this sentence in place of the answer for 408, 429, 499, 500, 502, 503, 504 and 520.
  return error instanceof Error && error.message.includes('Retryable HTTP status')
}

/** The failure for callers; `what` ends the sentence "The object store could not …". HoldfastErrors stay as they are. */
export function storeError(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const code = storeErrorCode(error)
  if (code === 'XMinioStorageFull' || code === 'QuotaExceeded') return new HoldfastError('StorageFull')
  const status = /Retryable HTTP status: \d+/.exec(String(error))?.[0].replace('Retryable ', '')
  const reason = code !== '' ? code : (status ?? 'no usable answer')
  return new HoldfastError('Unavailable', { message: `The object store could not ${what}: ${reason}.` })
}
