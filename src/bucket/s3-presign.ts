/**
 * Signed links (Signature Version 4 in the query string). PUTs bind what may be sent, its length and its SHA-256: the
 * `minio` client can sign neither a header nor a payload hash (8.0.7). Stores differ in what they enforce, so
 * `s3-probe.ts` tries each form before one is given to a client.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Client } from 'minio'
import type { S3Config } from '../config.ts'
import type { SignedGetOptions, SignedPut, SignedPutOptions } from './bucket.ts'

export type SignedPutForm = SignedPutOptions['form']

/** Signs links to keys for the endpoint of `client`. Nothing is asked of the store: 0.1 ms each. */
export function createLinkSigner(config: S3Config, client: Client) {
  const signer = new SignatureV4({
    service: 's3',
    region: config.region,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: config.secretKey },
    sha256: NodeSha256,
    // S3 alone signs a path as it stands.
    uriEscapePath: false,
  })
  let bucketUrl: string | undefined

  /** Whether the bucket stands in the host or in the path depends on the endpoint, and the client knows. */
  async function findBucketUrl(): Promise<string> {
    const { origin, pathname } = new URL(await client.presignedUrl('GET', config.bucket, 'key', 60))
    return origin + pathname.slice(0, -'key'.length)
  }

  async function sign(method: 'GET' | 'PUT', key: string, request: LinkRequest): Promise<string> {
    bucketUrl ??= await findBucketUrl()
    const url = new URL(bucketUrl + key)
    const signed = await signer.presign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        headers: { host: url.host, ...request.headers },
        query: request.query,
      },
      { expiresIn: request.expiresInSeconds, unhoistableHeaders: request.unhoistable },
    )
    for (const [name, value] of Object.entries(signed.query ?? {})) url.searchParams.set(name, String(value))
    // A space in a query is signed as %20, and a plus sign stands for itself.
    url.search = url.search.replaceAll('+', '%20')
    return url.href
  }

  return {
    async signGet(
      key: string,
      { expiresInSeconds, contentDisposition, contentType }: SignedGetOptions,
    ): Promise<string> {
      const query: Record<string, string> = {}
      if (contentDisposition !== undefined) query['response-content-disposition'] = contentDisposition
      if (contentType !== undefined) query['response-content-type'] = contentType
      return await sign('GET', key, {
        expiresInSeconds,
        query,
        headers: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
      })
    },
    async signPut(key: string, options: SignedPutOptions): Promise<SignedPut> {
      const bound = boundHeaders(options)
      const isByHeaders = options.form === 'headers'
      const url = await sign('PUT', key, {
        expiresInSeconds: options.expiresInSeconds,
        headers: { 'content-length': String(options.sizeBytes), ...bound },
        unhoistable: isByHeaders ? new Set(Object.keys(bound)) : undefined,
      })
      // Every HTTP client sends `host` and `content-length` by itself, and some refuse to be told.
      return { url, headers: isByHeaders ? bound : {} }
    },
  }
}

interface LinkRequest {
  expiresInSeconds: number
  query?: Record<string, string>
  headers?: Record<string, string>
  /** Headers that stay headers; all others are signed as part of the query. */
  unhoistable?: Set<string>
}

/** Stores look query parameters up by exact case; header names have none. */
function boundHeaders({ form, sha256 }: SignedPutOptions): Record<string, string> {
  if (sha256 === undefined) return { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' }
  if (form === 'query') return { 'X-Amz-Content-Sha256': sha256 }
  return {
    'x-amz-content-sha256': sha256,
    // The checksum that AWS S3 checks and keeps, should another store ignore the one above.
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
  }
}

/** The hash that the signer asks for: SHA-256, or its HMAC where there is a secret. */
class NodeSha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    throw new Error('A signer uses each hash once.')
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data)
}
