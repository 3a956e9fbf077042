/**
 * Signed PUTs that bind what may be sent: its length and its SHA-256 (Signature Version 4 in the query string). The
 * `minio` client can sign neither a header nor a payload hash (8.0.7). Stores differ in what they enforce, so
 * `s3-probe.ts` tries each form before one is given to a client.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Client } from 'minio'
import type { S3Config } from '../config.ts'
import type { SignedPut, SignedPutOptions } from './bucket.ts'

export type SignedPutForm = SignedPutOptions['form']

/** Signs PUTs of keys for the endpoint of `client`. */
export function createPutSigner(config: S3Config, client: Client) {
  const signer = new SignatureV4({
    service: 's3',
    region: config.region,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: config.secretKey },
    sha256: NodeSha256,
    // S3 alone signs a path as it stands.
    uriEscapePath: false,
  })
  return async function signPut(key: string, options: SignedPutOptions): Promise<SignedPut> {
    // Whether the bucket stands in the host or in the path depends on the endpoint, and the client knows.
    const url = new URL(await client.presignedUrl('PUT', config.bucket, key, options.expiresInSeconds))
    url.search = ''
    const bound = boundHeaders(options)
    const signed = await signer.presign(
      {
        method: 'PUT',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        headers: { host: url.host, 'content-length': String(options.sizeBytes), ...bound },
      },
      {
        expiresIn: options.expiresInSeconds,
        unhoistableHeaders: options.form === 'headers' ? new Set(Object.keys(bound)) : undefined,
      },
    )
    for (const [name, value] of Object.entries(signed.query ?? {})) url.searchParams.set(name, String(value))
    // Every HTTP client sends `host` and `content-length` by itself, and some refuse to be told.
    return { url: url.href, headers: options.form === 'headers' ? bound : {} }
  }
}

/** Stores look query parameters up by exact case; header names have none. */
function boundHeaders({ form, sha256 }: SignedPutOptions): Record<string, string> {
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
