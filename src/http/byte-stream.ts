/** Between Node's request and response streams and the byte streams inside. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import { markDisposable } from '../work.ts'

/** Makes the routes of `server` take bodies of any type and length: read from `request.raw`, never parsed. */
export function passBodiesThrough(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
}

/**
 * The body as it comes. Throws InputTruncated when the client leaves before its end. Whoever stops reading leaves the
 * rest to Node, which skips it after the response: the connection stays usable for the answer.
 */
export async function* requestBytes(raw: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
      // Node copies each out of the parser's memory.
      markDisposable(chunk)
      yield chunk
    }
  } catch (cause) {
    throw new HoldfastError('InputTruncated', { cause })
  }
}

/** `stream`, up to `maxBytes`. Throws InputTooLarge at the first byte above. */
export async function* limitBytes(stream: ByteStream, maxBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of stream) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw new HoldfastError('InputTooLarge')
    yield chunk
  }
}

/** Fires when the connection closes before the response has been sent whole; has fired where it is closed already. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const leave = () => {
    if (reply.raw.writableFinished) return
    controller.abort(new HoldfastError('InputTruncated', { message: 'The client has left.' }))
  }
  if (reply.raw.closed) leave()
  else reply.raw.once('close', leave)
  return controller.signal
}

/**
 * A response body that has begun: what fails before the first byte rejects here and becomes an HTTP status; what fails
 * later breaks the connection off, so that the client sees that something is missing.
 */
export async function startStream(stream: ByteStream, request: FastifyRequest): Promise<Readable> {
  const iterator = await begin(stream, request)
  return Readable.from({ [Symbol.asyncIterator]: () => iterator }, { objectMode: false })
}

/**
 * As `startStream`, for a source that uses the memory of its chunks again: it is asked for the next only when the
 * response has passed the one before to the kernel. What is read ahead, the source reads ahead.
 */
export async function startPacedStream(stream: ByteStream, request: FastifyRequest): Promise<Readable> {
  const iterator = await begin(stream, request)
  return new Readable({
    // With it, a pipe asks for nothing before the response has drained: chunks are longer than what a socket holds back.
    highWaterMark: 0,
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      iterator.return().then(
        () => callback(error),
        (failure: Error) => callback(error ?? failure),
      )
    },
  })
}

type BegunBytes = Required<Pick<AsyncIterator<Uint8Array>, 'next' | 'return'>>

/** Reads the first chunk. What fails later is noted at the request. */
async function begin(stream: ByteStream, request: FastifyRequest): Promise<BegunBytes> {
  const source = stream[Symbol.asyncIterator]()
  let first: IteratorResult<Uint8Array> | undefined = await source.next()
  return {
    async next() {
      const next = first ?? (await source.next().catch((error) => noteAndRethrow(error, request)))
      first = undefined
      return next
    },
    async return() {
      await source.return?.()
      return { done: true, value: undefined }
    },
  }
}

function noteAndRethrow(error: unknown, request: FastifyRequest): never {
  request.failure = { code: isHoldfastError(error) ? error.code : undefined, error }
  throw error
}
