/**
 * The bucket in an S3-compatible store, through the `minio` client. Clients may be sent straight to the store: by signed
 * GETs, and by signed PUTs in the forms that the store was seen to enforce.
 */
import type { S3Config } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Bucket, BytesStat, SignedGetOptions, SignedPutOptions } from './bucket.ts'
import { GetConnections } from './get-connections.ts'
import { assertKey } from './keys.ts'
import { askStore, createS3Client, idleTimeoutMs, type S3Target } from './s3-client.ts'
import { isMissing, storeError } from './s3-errors.ts'
import { putStream } from './s3-multipart.ts'
import { createLinkSigner, type SignedPutForm } from './s3-presign.ts'
import { isFormEnforced } from './s3-probe.ts'
import { readBytes } from './s3-reading.ts'

/** The bucket of `config`; `probe` makes it in the store if need be. No connection is opened before the first call. */
export function openS3Bucket(config: S3Config, logger: Logger): Bucket {
  const s3: S3Target = { client: createS3Client(config, config.endpoint), bucket: config.bucket, logger }
  const publicLinks = createLinkSigner(config, createS3Client(config, config.publicEndpoint))
  const connections = new GetConnections(idleTimeoutMs)
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
    async putFile(key, file, options = {}) {
      assertKey(key)
      return putStream(s3, key, file.stream(), options)
    },
    async get(key, range, options = {}) {
      assertKey(key)
      return readBytes({ s3, key, range, connections: options.reusesChunks ? connections : undefined })
    },
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
