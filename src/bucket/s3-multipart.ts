/**
 * Streams bytes of any length into the store in flat memory. The client's own `putObject` holds 64 MiB and more and
 * never settles when its source fails (minio 8.0.7), so the parts are cut, sent and completed here.
 */
import type { ByteStream, PutOptions } from './bucket.ts'
import { askStore, type S3Target } from './s3-client.ts'
import { storeErrorCode } from './s3-errors.ts'
import { untilAborted } from './streams.ts'

const MiB = 1024 * 1024
const firstPartBytes = 8 * MiB
const partBytesMax = 1024 * MiB
/** Parts double every 640: 5 GiB go up in parts of 8 MiB, 64 GiB in parts of up to 64 MiB, and 10,000 parts make 5 TiB. */
const partsPerSize = 640
/** Of the smallest parts; larger ones go up one at a time, while the next is gathered. */
const partsInFlightMax = 3
/** The first part grows into its size, because most bodies are much smaller. */
const firstBufferBytes = 64 * 1024

/** Puts `body` under `key`, in one request up to 8 MiB, in parts above. Resolves to the number of bytes. */
export async function putStream(s3: S3Target, key: string, body: ByteStream, options: PutOptions): Promise<number> {
  const failure = new AbortController()
  const signal = options.signal === undefined ? failure.signal : AbortSignal.any([failure.signal, options.signal])
  const parts = cutParts(untilAborted(body, signal))
  try {
    const first = (await parts.next()).value!
    if (!first.isLast) return await putParts(s3, key, first, parts, { failure, signal })
    await putWhole(s3, key, first.bytes, signal)
    return first.bytes.length
  } finally {
    await parts.return(undefined)
  }
}

/** The size of part number `part` (from 1), the last part apart. */
export function partSizeBytes(part: number): number {
  return Math.min(partBytesMax, firstPartBytes * 2 ** Math.floor((part - 1) / partsPerSize))
}

async function putWhole(s3: S3Target, key: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
  try {
    await askStore('take bytes', signal, () => s3.client.putObject(s3.bucket, key, bytes, bytes.length))
    signal.throwIfAborted()
  } catch (error) {
    // Only the answer may have been lost, or the cancel may have come when the bytes were there.
    await cleanUp(s3, key, () => s3.client.removeObjects(s3.bucket, [key]))
    throw error
  }
}

interface Control {
  /** Stops reading the source as soon as a part has failed for good. */
  failure: AbortController
  /** `failure` or the caller's cancel. */
  signal: AbortSignal
}

async function putParts(
  s3: S3Target,
  key: string,
  first: Part,
  rest: AsyncGenerator<Part, undefined>,
  control: Control,
): Promise<number> {
  const { client, bucket } = s3
  const { failure, signal } = control
  const uploadId = await askStore('begin an upload', signal, () => client.initiateNewMultipartUpload(bucket, key, {}))
  const etags: { part: number; etag: string }[] = []
  const inFlight = new Set<Promise<void>>()
  let sizeBytes = 0
  try {
    for (let part = first; ; part = (await rest.next()).value!) {
      sizeBytes += part.bytes.length
      const sending: Promise<void> = sendPart(s3, key, { uploadId, part, signal })
        .then((etag) => void etags.push({ part: part.number, etag }))
        .catch((error) => failure.abort(error))
        .finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      while (inFlight.size >= partsInFlight(part)) await Promise.race(inFlight)
      signal.throwIfAborted()
      if (part.isLast) break
    }
    await Promise.all(inFlight)
    signal.throwIfAborted()
    etags.sort((a, b) => a.part - b.part)
    await completeParts(s3, key, { uploadId, etags, sizeBytes, signal })
    return sizeBytes
  } catch (error) {
    failure.abort(error)
    await Promise.all(inFlight)
    await cleanUp(s3, key, () => abortParts(s3, key, uploadId))
    throw error
  }
}

function partsInFlight(part: Part): number {
  return part.bytes.length > firstPartBytes ? 1 : partsInFlightMax
}

async function sendPart(
  { client, bucket }: S3Target,
  key: string,
  { uploadId, part, signal }: { uploadId: string; part: Part; signal: AbortSignal },
): Promise<string> {
  const config = { bucketName: bucket, objectName: key, uploadID: uploadId, partNumber: part.number, headers: {} }
  const sent = await askStore('take a part', signal, () => client.uploadPart(config, part.bytes))
  return sent.etag
}

interface Completion {
  uploadId: string
  etags: { part: number; etag: string }[]
  sizeBytes: number
  signal: AbortSignal
}

async function completeParts({ client, bucket }: S3Target, key: string, upload: Completion): Promise<void> {
  const { uploadId, etags, sizeBytes, signal } = upload
  await askStore('complete an upload', signal, async (attempt) => {
    try {
      await client.completeMultipartUpload(bucket, key, uploadId, etags)
    } catch (error) {
      // The attempt before may have succeeded and only its answer have been lost.
      const isDone = attempt > 1 && storeErrorCode(error) === 'NoSuchUpload'
      if (!isDone || (await client.statObject(bucket, key)).size !== sizeBytes) throw error
    }
  })
}

async function abortParts({ client, bucket }: S3Target, key: string, uploadId: string): Promise<void> {
  try {
    await client.abortMultipartUpload(bucket, key, uploadId)
  } catch (error) {
    if (storeErrorCode(error) !== 'NoSuchUpload') throw error
    // Completed after all, though the answer did not say so.
    await client.removeObjects(bucket, [key])
  }
}

/** Best effort, without the caller's signal; what stays is invisible, and swept as bytes without a row. */
async function cleanUp(s3: S3Target, key: string, remove: () => Promise<unknown>): Promise<void> {
  try {
    await askStore('clean up', undefined, remove)
  } catch (error) {
    s3.logger.warn({ key, reason: String(error) }, 'A failed upload may have left bytes in the object store.')
  }
}

interface Part {
  /** From 1. */
  number: number
  bytes: Buffer
  isLast: boolean
}

/** At least one part, each in a buffer of its own, since a source may use its chunks again. */
async function* cutParts(body: ByteStream): AsyncGenerator<Part, undefined> {
  let number = 1
  let buffer: Buffer = Buffer.allocUnsafe(firstBufferBytes)
  let sizeBytes = 0
  for await (const chunk of body) {
    for (let offset = 0; offset < chunk.length; ) {
      if (sizeBytes === partSizeBytes(number)) {
        yield { number, bytes: buffer, isLast: false }
        number += 1
        buffer = Buffer.allocUnsafe(partSizeBytes(number))
        sizeBytes = 0
      }
      const count = Math.min(chunk.length - offset, partSizeBytes(number) - sizeBytes)
      buffer = roomFor(buffer, sizeBytes, count)
      buffer.set(chunk.subarray(offset, offset + count), sizeBytes)
      sizeBytes += count
      offset += count
    }
  }
  yield { number, bytes: buffer.subarray(0, sizeBytes), isLast: true }
}

function roomFor(buffer: Buffer, usedBytes: number, moreBytes: number): Buffer {
  if (usedBytes + moreBytes <= buffer.length) return buffer
  const larger = Buffer.allocUnsafe(Math.min(firstPartBytes, Math.max(4 * buffer.length, usedBytes + moreBytes)))
  buffer.copy(larger, 0, 0, usedBytes)
  return larger
}
