/**
 * The batch API's words (git-lfs docs/api/batch.md, basic-transfers.md): what a client asks, what it is answered, and
 * which single objects of a request make no sense.
 */
import { type Static, Type } from 'typebox'
import { type LfsOid, parseLfsOid } from './oid.ts'

export const lfsMediaType = 'application/vnd.git-lfs+json'

/** The ref for which a client asks. Clients before 2.4 send none; null counts as none. */
export const RefField = Type.Optional(Type.Union([Type.Object({ name: Type.String() }), Type.Null()]))

/** Objects are checked one by one in `readBatchObject`: a bad one is answered among the others. */
export const BatchRequest = Type.Object({
  operation: Type.Union([Type.Literal('download'), Type.Literal('upload')]),
  transfers: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  ref: RefField,
  hash_algo: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  objects: Type.Array(Type.Object({ oid: Type.Optional(Type.Unknown()), size: Type.Optional(Type.Unknown()) })),
})
export type BatchRequest = Static<typeof BatchRequest>

export const VerifyRequest = Type.Object({ oid: Type.String(), size: Type.Number() })
export type VerifyRequest = Static<typeof VerifyRequest>

/** The end of a multipart transfer, as the Hub's clients tell it. */
export const CompletionRequest = Type.Object({
  oid: Type.String(),
  parts: Type.Array(Type.Object({ partNumber: Type.Integer(), etag: Type.String() }), { maxItems: 10_000 }),
})
export type CompletionRequest = Static<typeof CompletionRequest>

export interface BatchAction {
  href: string
  /** Headers to send; with the transfer `multipart` the size of the parts, and the address of each. */
  header?: Record<string, string>
  expires_in: number
}

export interface BatchObject {
  oid: string
  size: number
  /** The actions carry their own proof of who asks: no credentials are to be added, which S3 would refuse. */
  authenticated?: true
  actions?: { download: BatchAction } | { upload: BatchAction; verify: BatchAction }
  error?: { code: 404 | 422; message: string }
}

export interface BatchResponse {
  transfer: 'basic' | 'multipart'
  hash_algo: 'sha256'
  objects: BatchObject[]
}

/** An object as asked for, checked. */
export interface WantedObject {
  lfsOid: LfsOid
  sizeBytes: number
}

/** The object that one entry of a request names, or the answer that says what is wrong with it. */
export function readBatchObject(entry: BatchRequest['objects'][number]): WantedObject | BatchObject {
  const lfsOid = parseLfsOid(entry.oid)
  const sizeBytes = typeof entry.size === 'number' && Number.isSafeInteger(entry.size) ? entry.size : -1
  if (lfsOid !== undefined && sizeBytes >= 0) return { lfsOid, sizeBytes }
  const message =
    lfsOid === undefined
      ? 'An oid is the SHA-256 of the content: 64 lower-case hex digits.'
      : 'A size is a whole number of bytes, zero or more.'
  return refuseObject(
    { oid: typeof entry.oid === 'string' ? entry.oid : '', size: Math.max(0, sizeBytes) },
    422,
    message,
  )
}

/** The answer for one object that cannot be had. */
export function refuseObject(object: { oid: string; size: number }, code: 404 | 422, message: string): BatchObject {
  return { oid: object.oid, size: object.size, error: { code, message } }
}

/** True for the one hash this server knows. huggingface.js spells it `sha_256`. */
export function isKnownHash(hashAlgo: string | null | undefined): boolean {
  return hashAlgo === undefined || hashAlgo === null || hashAlgo === 'sha256' || hashAlgo === 'sha_256'
}
