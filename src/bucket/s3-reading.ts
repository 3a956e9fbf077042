/** Reads bytes from an S3-compatible store: one GET, resumed by range where the connection breaks. */
import type { IncomingMessage } from 'node:http'
import { HoldfastError } from '../errors.ts'
import type { ByteRange, ByteStream } from './bucket.ts'
import type { GetConnections } from './get-connections.ts'
import { attemptsMax, pauseBeforeRetry } from './retries.ts'
import { askStore, type S3Target } from './s3-client.ts'
import { isMissing, isTransient, storeError, storeErrorCode } from './s3-errors.ts'
import { releasing } from './streams.ts'

interface Source {
  s3: S3Target
  key: string
  range: ByteRange | undefined
  /** For a reader that is done with a chunk before it asks for the next. */
  connections: GetConnections | undefined
}

interface Answer {
  status: number | undefined
  sizeBytes: number | undefined
  chunks: ByteStream
  close(): void
}

// From signing to asking no time passes; stores allow for clocks that differ.
const linkSeconds = 300

/** The bytes of a key, or a range of them. Rejects before the first where there are none. */
export async function readBytes(source: Source): Promise<ByteStream> {
  const reading = new Reading(source)
  await reading.open()
  return releasing(reading.chunks(), () => reading.close())
}

/** Bytes under a key never change, so that they can be read on by another request. */
class Reading {
  readonly #source: Source
  #position: number
  #lastPosition: number
  #answer: Answer | undefined
  readonly #closed = new AbortController()

  constructor(source: Source) {
    this.#source = source
    this.#position = source.range?.start ?? 0
    this.#lastPosition = source.range?.end ?? Number.POSITIVE_INFINITY
  }

  async open(): Promise<void> {
    const answer = await askStore('give bytes', this.#closed.signal, () => this.#request())
    if (answer.sizeBytes !== undefined) this.#lastPosition = this.#position + answer.sizeBytes - 1
    this.#answer = answer
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let failures = 0; ; ) {
      try {
        for await (const chunk of this.#answer!.chunks) {
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
      this.#answer = await askStore('give bytes', this.#closed.signal, () => this.#request())
    }
  }

  close(): void {
    this.#closed.abort(new Error('The reader left.'))
    this.#answer?.close()
  }

  async #request(): Promise<Answer> {
    const answer = (await this.#requestByConnection()) ?? (await this.#requestByClient())
    const isWhole = this.#position === 0 && this.#lastPosition === Number.POSITIVE_INFINITY
    if (isWhole || answer.status === 206) return answer
    answer.close()
    throw new HoldfastError('Unavailable', { message: 'The object store does not answer requests for a range.' })
  }

  async #requestByConnection(): Promise<Answer | undefined> {
    const { s3, key, connections } = this.#source
    if (connections === undefined) return undefined
    const url = new URL(await s3.client.presignedGetObject(s3.bucket, key, linkSeconds))
    const last = Number.isFinite(this.#lastPosition) ? this.#lastPosition : ''
    const isWhole = this.#position === 0 && last === ''
    const headers: Record<string, string> = isWhole ? {} : { range: `bytes=${this.#position}-${last}` }
    return await connections.get(url, headers, this.#closed.signal)
  }

  async #requestByClient(): Promise<Answer> {
    const { s3, key } = this.#source
    const length = Number.isFinite(this.#lastPosition) ? this.#lastPosition - this.#position + 1 : 0
    const response = await s3.client
      .getPartialObject(s3.bucket, key, this.#position, length)
      .catch((error: unknown) => Promise.reject(getError(error)))
    const { statusCode, headers } = response as IncomingMessage
    const sizeText = headers['content-length']
    return {
      status: statusCode,
      sizeBytes: sizeText === undefined ? undefined : Number(sizeText),
      chunks: response,
      close: () => response.destroy(),
    }
  }
}

function getError(error: unknown): unknown {
  if (isMissing(error)) return new HoldfastError('BytesMissing')
  return storeErrorCode(error) === 'InvalidRange' ? new HoldfastError('RangeUnsatisfiable') : error
}

function brokenConnection(): Error {
  return Object.assign(new Error('The answer ended too early.'), { code: 'ECONNRESET' })
}
