/** Checks size and SHA-256 while bytes pass. */
import { createHash } from 'node:crypto'
import { HoldfastError } from '../errors.ts'
import type { ByteStream } from './bucket.ts'

export interface ExpectedBytes {
  sizeBytes: number
  /** 64 hex digits. */
  sha256: string
}

/**
 * Passes `body` on. Throws BytesMismatch as soon as too many bytes have come, or at the end when there were too few or
 * others: a `put` that reads from here fails, and so leaves nothing behind.
 */
export async function* verifyBytes(body: ByteStream, expected: ExpectedBytes): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > expected.sizeBytes) throw sizeMismatch(`more than`, expected)
    hash.update(chunk)
    yield chunk
  }
  if (sizeBytes < expected.sizeBytes) throw sizeMismatch(`${sizeBytes} instead of`, expected)
  if (hash.digest('hex') !== expected.sha256) {
    throw new HoldfastError('BytesMismatch', { message: 'The bytes received do not have the announced SHA-256.' })
  }
}

function sizeMismatch(found: string, expected: ExpectedBytes): HoldfastError {
  const message = `Received ${found} the ${expected.sizeBytes} bytes that were announced.`
  return new HoldfastError('BytesMismatch', { message })
}
