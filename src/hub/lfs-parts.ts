/**
 * The Hub's `multipart` transfer: large content sent in parts, each by a link of its own, and put together by a completion
 * call (hub-api.md §2.8). Parts lie under keys of their own, which no row names; they are proven together, by reading
 * them back into the one place where the content then lies.
 */
import type { ByteStream } from '../bucket/bucket.ts'
import { lfsPartKey, lfsPartsPrefix } from '../bucket/keys.ts'
import type { LfsUpload } from '../database/lfs-uploads.ts'
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { BatchAction, WantedObject } from '../lfs/batch.ts'
import type { Hub } from './hub.ts'
import { openUpload, proofWindowSeconds, storeProven } from './lfs-transfer.ts'
import { signLink } from './signed-links.ts'

/** As many as S3 takes, which is what clients are made for. */
const partsMax = 10_000

/** The action that sends an object in parts; undefined for an empty one, which has none. */
export async function offerParts(hub: Hub, uploadId: string, object: WantedObject): Promise<BatchAction | undefined> {
  // The last part goes up hours after the first.
  const expiresInSeconds = proofWindowSeconds(hub)
  const { sizeBytes } = object
  if (sizeBytes === 0) return undefined
  const chunkBytes = partBytes(hub, sizeBytes)
  const header: Record<string, string> = { chunk_size: String(chunkBytes) }
  const pause = fairLoop()
  for (let part = 1; (part - 1) * chunkBytes < sizeBytes; part++) {
    if (pause.due(8)) await pause.now()
    const size = Math.min(chunkBytes, sizeBytes - (part - 1) * chunkBytes)
    // Clients sort the names as text, or take them as they come.
    header[nameOfPart(part)] = await signPart(hub, uploadId, part, size)
  }
  const href = signLink(hub, { method: 'POST', parts: ['lfs', 'uploads', uploadId, 'complete'] }, expiresInSeconds)
  return { href, header, expires_in: expiresInSeconds }
}

/** In how many parts an object is sent. */
export function countParts(hub: Hub, sizeBytes: number): number {
  return Math.ceil(sizeBytes / partBytes(hub, sizeBytes))
}

async function signPart(hub: Hub, uploadId: string, part: number, sizeBytes: number): Promise<string> {
  const expiresInSeconds = proofWindowSeconds(hub)
  const direct = await hub.bucket.signedPut(lfsPartKey(uploadId, nameOfPart(part)), {
    sizeBytes,
    sha256: undefined,
    expiresInSeconds,
    form: 'query',
  })
  if (direct !== undefined) return direct.url
  return signLink(hub, { method: 'PUT', parts: ['lfs', 'uploads', uploadId, 'parts', String(part)] }, expiresInSeconds)
}

export interface IncomingPart {
  uploadId: string
  part: number
  body: ByteStream
  signal: AbortSignal
}

/** Takes a part that comes through this server; a part that comes again replaces the one before. Throws as storing does. */
export async function receiveLfsPart(hub: Hub, { uploadId, part, body, signal }: IncomingPart): Promise<void> {
  const { sizeBytes } = await openUpload(hub, uploadId)
  const chunkBytes = partBytes(hub, sizeBytes)
  const expectedBytes = Math.min(chunkBytes, sizeBytes - (part - 1) * chunkBytes)
  if (!(part >= 1) || !(expectedBytes > 0)) throw partMismatch(`There is no part ${part} of this upload.`)
  await hub.bucket.put(lfsPartKey(uploadId, nameOfPart(part)), exactly(body, expectedBytes), { signal })
}

/**
 * Puts the parts together: size and SHA-256 are checked while they are read, and only then does the content count. May be
 * called again. Throws BytesMissing where parts have not come, BytesMismatch where they are not what was offered.
 */
export async function completeLfsParts(
  hub: Hub,
  uploadId: string,
  claimed: { lfsOid: string; partNumbers: readonly number[] },
): Promise<void> {
  const upload = await openUpload(hub, uploadId)
  if (upload.lfsOid !== claimed.lfsOid) throw partMismatch('This upload was offered for another oid.')
  if (upload.isProven) return
  const count = countParts(hub, upload.sizeBytes)
  const { partNumbers } = claimed
  if (partNumbers.length !== count || new Set(partNumbers).size !== count) {
    throw partMismatch(`This upload has ${count} parts, and ${partNumbers.length} were named.`)
  }
  const flight = completing.get(uploadId) ?? complete(hub, upload).finally(() => completing.delete(uploadId))
  completing.set(uploadId, flight)
  await flight
}

/** A client that gave up waiting asks again: it is told of what is under way. */
const completing = new Map<string, Promise<void>>()

async function complete(hub: Hub, upload: LfsUpload): Promise<void> {
  const { uploadId } = upload
  const parts = await listParts(hub, uploadId)
  try {
    const keys = Array.from({ length: countParts(hub, upload.sizeBytes) }, (_, index) => partKey(parts, index + 1))
    await storeProven(hub, upload, readAll(hub, keys), new AbortController().signal)
  } catch (error) {
    // Another server, asked again by the same client, was quicker, and has deleted the parts meanwhile.
    if ((await openUpload(hub, uploadId)).isProven) return
    throw error
  }
  await hub.bucket.delete([...parts.values()])
}

function partKey(parts: ReadonlyMap<string, string>, part: number): string {
  const key = parts.get(nameOfPart(part))
  if (key !== undefined) return key
  throw new HoldfastError('BytesMissing', { message: `Part ${part} has not been uploaded.` })
}

async function listParts(hub: Hub, uploadId: string): Promise<Map<string, string>> {
  const prefix = lfsPartsPrefix(uploadId)
  const parts = new Map<string, string>()
  for await (const { key } of hub.bucket.list(prefix)) parts.set(key.slice(prefix.length), key)
  return parts
}

async function* readAll(hub: Hub, keys: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const key of keys) yield* await hub.bucket.get(key)
}

/** Passes `body` on. Throws BytesMismatch where it is not exactly so long. */
async function* exactly(body: ByteStream, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let passedBytes = 0
  for await (const chunk of body) {
    passedBytes += chunk.length
    if (passedBytes > sizeBytes) break
    yield chunk
  }
  if (passedBytes !== sizeBytes) throw partMismatch(`This part has ${sizeBytes} bytes.`)
}

/** How large the parts of an object are, the last one apart: always the same for one size. */
function partBytes(hub: Hub, sizeBytes: number): number {
  return Math.max(hub.config.limits.lfsPartBytes, Math.ceil(sizeBytes / partsMax))
}

function nameOfPart(part: number): string {
  return String(part).padStart(5, '0')
}

function partMismatch(message: string): HoldfastError {
  return new HoldfastError('BytesMismatch', { message })
}
