/** The `minio` client, set up for one endpoint: our own retries, cancel, and no request that waits for ever. */
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import https from 'node:https'
import { Client } from 'minio'
import type { S3Config } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { withRetries } from './retries.ts'
import { isTransient, storeError } from './s3-errors.ts'

export interface S3Target {
  client: Client
  bucket: string
  logger: Logger
}

/** A connection on which nothing moves for this long is dead; a stream that its reader lets wait resumes by range. */
export const idleTimeoutMs = 60_000

/** The client takes no signal, so its requests find theirs here. */
const requestSignal = new AsyncLocalStorage<AbortSignal | undefined>()

/**
 * Runs requests of a client, again where that is safe and useful. Throws the signal's reason when it aborts, otherwise
 * the store's error in words that may be shown; `what` ends the sentence "The object store could not …".
 */
export async function askStore<T>(
  what: string,
  signal: AbortSignal | undefined,
  request: (attempt: number) => Promise<T>,
): Promise<T> {
  try {
    return await requestSignal.run(signal, () => withRetries(request, { isRetryable: isTransient, signal }))
  } catch (error) {
    throw signal?.aborted ? signal.reason : storeError(error, what)
  }
}

/** A client that speaks to `endpoint` (signs for it, at least) with the credentials of `config`. */
export function createS3Client(config: S3Config, endpoint: string): Client {
  const url = new URL(endpoint)
  if (url.pathname !== '/') {
    const message = 'S3_ENDPOINT and S3_PUBLIC_ENDPOINT are addresses without a path.'
    throw new HoldfastError('InputInvalid', { message })
  }
  const useSSL = url.protocol === 'https:'
  return new Client({
    endPoint: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    useSSL,
    region: config.region,
    accessKey: config.accessKey,
    secretKey: config.secretKey,
    // The client retries without saying which requests are safe, and writes to the console.
    retryOptions: { disableRetry: true },
    transport: useSSL ? transportOver(https) : transportOver(http),
  })
}

type Transport = NonNullable<ConstructorParameters<typeof Client>[0]['transport']>

function transportOver(module: typeof http | typeof https): Transport {
  const request = (options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void) => {
    const outgoing = module.request({ ...options, signal: requestSignal.getStore() }, onResponse)
    outgoing.setTimeout(idleTimeoutMs, () => {
      const timeout = new Error('The object store did not answer in time.') as NodeJS.ErrnoException
      timeout.code = 'ETIMEDOUT'
      outgoing.destroy(timeout)
    })
    return outgoing
  }
  return { request } as Transport
}
