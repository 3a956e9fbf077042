/** The body of a Git POST: raw, or gzipped as git sends upload-pack requests above 1 KiB. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import { HoldfastError, isHoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import type { GitService } from '../../git/protocol/capabilities.ts'
import { limitBytes, requestBytes } from '../byte-stream.ts'

/**
 * The inflated body. Throws MediaTypeUnsupported at once for another encoding or type than git's; while read
 * InputTooLarge above `maxBytes`, InputTruncated, and InputInvalid for damaged gzip.
 */
export function openRequestBody(request: FastifyRequest, service: GitService, maxBytes: number): ByteStream {
  const type = request.headers['content-type']?.split(';')[0].trim().toLowerCase()
  if (type !== `application/x-${service}-request`) {
    throw new HoldfastError('MediaTypeUnsupported', {
      message: `This address takes the content type application/x-${service}-request only.`,
    })
  }
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const body = requestBytes(request.raw)
  if (encoding === 'identity') return limitBytes(body, maxBytes)
  if (encoding === 'gzip' || encoding === 'x-gzip') return limitBytes(inflate(body), maxBytes)
  throw new HoldfastError('MediaTypeUnsupported', { message: 'This address takes the content encoding gzip only.' })
}

async function* inflate(body: ByteStream): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  const fed = pipeline(Readable.from(body), gunzip)
  // Its errors come out of the loop below as well.
  fed.catch(() => {})
  try {
    for await (const chunk of gunzip) yield chunk
  } catch (cause) {
    if (isHoldfastError(cause)) throw cause
    const isShort = (cause as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
    throw new HoldfastError(isShort ? 'InputTruncated' : 'InputInvalid', { cause })
  } finally {
    gunzip.destroy()
  }
}
