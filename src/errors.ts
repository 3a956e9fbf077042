/**
 * The table of domain errors: a code and the sentence people read. Nothing here knows HTTP or Git; each door has one
 * function that turns a code into its protocol's own answer.
 */
const sentences = {
  RepoNotFound: 'Repository not found.',
  RepoMoved: 'This repository has another name now.',
  RevisionNotFound: 'Revision not found.',
  EntryNotFound: 'No such file at this revision.',
  AccountNotFound: 'No such user or organization.',
  TokenNotFound: 'No such token.',
  LockNotFound: 'No such lock.',
  RuleNotFound: 'No such rule.',
  AddressUnknown: 'There is nothing at this address.',
  CredentialsInvalid: 'Invalid credentials in Authorization header',
  CredentialsMissing: 'Sign in to do this.',
  AccessDenied: 'You may not do this with this repository.',
  SignInLimited: 'Too many failed sign-ins. Wait, then try again.',
  RateLimited: 'Too many requests. Wait, then try again.',
  InputInvalid: 'The request is not valid.',
  InputTooLarge: 'The request is larger than this server allows.',
  InputTruncated: 'The request ended before it was complete.',
  MediaTypeUnsupported: 'The request has a content type or encoding that this route does not take.',
  NotAcceptable: 'This route cannot answer in a media type that the request accepts.',
  NameTaken: 'This name is taken.',
  NameReserved: 'This name is reserved.',
  PathInvalid: 'The path cannot stand in a repository.',
  BranchMoved: 'The branch was updated meanwhile. Please refresh and try again.',
  Conflict: 'The request conflicts with the present state.',
  LockExists: 'The path is already locked.',
  LinkInvalid: 'This link is not valid, or no longer.',
  PackInvalid: 'The pack is damaged.',
  ObjectMissing: 'An object is missing.',
  ObjectInvalid: 'An object is malformed.',
  BytesMissing: 'The bytes are not in the bucket.',
  LfsMissing: 'Git LFS content is missing: upload it first.',
  BytesMismatch: 'The bytes do not match their announced size or hash.',
  RangeUnsatisfiable: 'The range lies outside the file.',
  StorageFull: 'The server has no room left for this.',
  Unsupported: 'This server does not offer that.',
  Unavailable: 'The server cannot do this now. Try again.',
} as const

export type ErrorCode = keyof typeof sentences

export interface ErrorOptions {
  /** What was wrong, where, what to do. Absent: the table's sentence. */
  message?: string
  /** Facts that a door may put into its answer (an existing lock, a repository's URL, seconds to wait). Never a secret. */
  details?: Record<string, unknown>
  cause?: unknown
}

/** An expected failure: something a caller did or met. Everything else that is thrown is a defect. */
export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(options.message ?? sentences[code], options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HoldfastError'
    this.code = code
    this.details = options.details ?? {}
  }
}

/** True for a HoldfastError, of the given code if one is given. */
export function isHoldfastError(error: unknown, code?: ErrorCode): error is HoldfastError {
  return error instanceof HoldfastError && (code === undefined || error.code === code)
}
