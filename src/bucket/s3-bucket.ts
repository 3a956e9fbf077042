/**
 * The bucket in an S3-compatible store, through the `minio` client. Clients may be sent straight to the store: by signed
 * GETs, and by signed PUTs in the forms that the store was seen to enforce.
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { S3Config } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Bucket, ByteRange, ByteStream, BytesStat, SignedGetOptions, SignedPutOptions } from './bucket.ts'
import { assertKey } from './keys.ts'
import { attemptsMax, pauseBeforeRetry } from './retries.ts'
import { askStore, createS3Client, type S3Target } from './s3-client.ts'
import { isMissing, isTransient, storeError, storeErrorCode } from './s3-errors.ts'
import { putStream } from './s3-multipart.ts'
import { createLinkSigner, type SignedPutForm } from './s3-presign.ts'
import { isFormEnforced } from './s3-probe.ts'
import { releasing } from './streams.ts'

/** The bucket of `config`; `probe` makes it in the store if need be. No connection is opened before the first call. */
export function openS3Bucket(config: S3Config, logger: Logger): Bucket {
  const s3: S3Target = { client: createS3Client(config, config.endpoint), bucket: config.bucket, logger }
  const publicLinks = createLinkSigner(config, createS3Client(config, config.publicEndpoint))
  const enforcedForms = new Set<SignedPutForm>()

  async function probe(): Promise<void> {
    await ensureBucket(s3, config)
    const { signPut } = createLinkSigner(config, s3.client)
    for (const form of ['headers', 'query'] as const) {
      const isEnforced = await isFormEnforced(form, { signPut, delete: (keys) => deleteKeys(s3, keys) })
      if (isEnforced) enforcedForms.add(form)
      else
        logger.warn({ form }, 'The object store does not enforce signed PUTs of this form: uploads pass through here.')
    }
  }

  return {
    async put(key, body, options = {}) {
      assertKey(key)
      return putStream(s3, key, body, options)
    },
    get: (key, range) => getBytes(s3, key, range),
    stat: (key) => statKey(s3, key),
    delete: (keys) => deleteKeys(s3, keys),
    list: (prefix) => listKeys(s3, prefix),
    openFile: async () => undefined,
    async signedGet(key: string, options: SignedGetOptions) {
      assertKey(key)
      return publicLinks.signGet(key, options)
    },
    async signedPut(key: string, options: SignedPutOptions) {
      assertKey(key)
      const mayBeSigned = options.sha256 === undefined || enforcedForms.has(options.form)
      return mayBeSigned ? publicLinks.signPut(key, options) : undefined
    },
    probe,
  }
}

async function getBytes(s3: S3Target, key: string, range?: ByteRange): Promise<ByteStream> {
  assertKey(key)
  const reading = new Reading(s3, key, range)
  await reading.open()
  return releasing(reading.chunks(), () => reading.close())
}

/** One GET, resumed by range where the connection breaks: bytes under a key never change. */
class Reading {
  readonly #s3: S3Target
  readonly #key: string
  #position: number
  #lastPosition: number
  #response: Readable | undefined
  readonly #closed = new AbortController()

  constructor(s3: S3Target, key: string, range: ByteRange | undefined) {
    this.#s3 = s3
    this.#key = key
    this.#position = range?.start ?? 0
    this.#lastPosition = range?.end ?? Number.POSITIVE_INFINITY
  }

  async open(): Promise<void> {
    const response = await askStore('give bytes', this.#closed.signal, () => this.#request())
    const length = response.headers['content-length']
    if (length !== undefined) this.#lastPosition = this.#position + Number(length) - 1
    this.#response = response
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let failures = 0; ; ) {
      try {
        for await (const chunk of this.#response!) {
          this.#position += chunk.length
          failures = 0
          yield chunk
        }
        if (this.#position > this.#lastPosition || this.#lastPosition === Number.POSITIVE_INFINITY) return
        throw brokenConnection()
      } catch (error) {
        failures += 1
        if (this.#closed.signal.aborted || failures === attemptsMax || !isTransient(error)) {
          throw storeError(error, 'give bytes')
        }
      }
      await pauseBeforeRetry(failures, this.#closed.signal)
      this.#response = await askStore('give bytes', this.#closed.signal, () => this.#request())
    }
  }

  close(): void {
    this.#closed.abort(new Error('The reader left.'))
    this.#response?.destroy()
  }

  async #request(): Promise<IncomingMessage> {
    const { client, bucket } = this.#s3
    const isWhole = this.#position === 0 && this.#lastPosition === Number.POSITIVE_INFINITY
    const length = Number.isFinite(this.#lastPosition) ? this.#lastPosition - this.#position + 1 : 0
    const response = await client
      .getPartialObject(bucket, this.#key, this.#position, length)
      .catch((error: unknown) => Promise.reject(getError(error)))
    const message = response as IncomingMessage
    if (isWhole || message.statusCode === 206) return message
    message.destroy()
    throw new HoldfastError('Unavailable', { message: 'The object store does not answer requests for a range.' })
  }
}

function getError(error: unknown): unknown {
  if (isMissing(error)) return new HoldfastError('BytesMissing')
  return storeErrorCode(error) === 'InvalidRange' ? new HoldfastError('RangeUnsatisfiable') : error
}

function brokenConnection(): Error {
  return Object.assign(new Error('The answer ended too early.'), { code: 'ECONNRESET' })
}

async function statKey({ client, bucket }: S3Target, key: string): Promise<BytesStat | undefined> {
  assertKey(key)
  return askStore('stat bytes', undefined, async () => {
    try {
      const { size, lastModified } = await client.statObject(bucket, key)
      return { sizeBytes: size, modifiedAt: lastModified }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })
}

/** As many as one DeleteObjects request takes. */
const deletedKeysMax = 1000

async function deleteKeys({ client, bucket }: S3Target, keys: readonly string[]): Promise<void> {
  for (const key of keys) assertKey(key)
  for (let start = 0; start < keys.length; start += deletedKeysMax) {
    const some = keys.slice(start, start + deletedKeysMax)
    const failures = await askStore('delete bytes', undefined, () => client.removeObjects(bucket, some))
    const code = failures.map((failure) => (failure as { Code?: string } | null)?.Code).find((it) => it !== 'NoSuchKey')
    if (code !== undefined) throw storeError({ code }, 'delete bytes')
  }
}

async function* listKeys({ client, bucket }: S3Target, prefix: string): AsyncGenerator<BytesStat & { key: string }> {
  for (let token = ''; ; ) {
    const page = await askStore('list bytes', undefined, () =>
      client.listObjectsV2Query(bucket, prefix, token, '', 1000, ''),
    )
    for (const { name, size, lastModified } of page.objects) {
      if (name !== undefined) yield { key: name, sizeBytes: size, modifiedAt: lastModified! }
    }
    if (!page.isTruncated) return
    token = page.nextContinuationToken
  }
}

async function ensureBucket({ client, bucket }: S3Target, config: S3Config): Promise<void> {
  const place = `the object store at ${config.endpoint}`
  const exists = await askStore('be asked for its bucket', undefined, () => client.bucketExists(bucket)).catch(
    (error) => {
      const message = `Cannot use bucket "${bucket}" of ${place}: ${error.message} Check the S3_… settings.`
      throw new HoldfastError('Unavailable', { message })
    },
  )
  if (exists) return
  try {
    await askStore('make a bucket', undefined, () => client.makeBucket(bucket, config.region))
  } catch (error) {
    // Another server that starts at the same moment may have made it.
    if (await client.bucketExists(bucket).catch(() => false)) return
    const message = `Bucket "${bucket}" is not in ${place} and cannot be made: ${(error as Error).message}`
    throw new HoldfastError('Unavailable', { message })
  }
}
