/**
 * What the store does with a signed PUT of other bytes than were signed for. Nothing is taken from documentation: a form
 * is offered to clients only if this store took the right bytes in it and refused every wrong attempt below.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { SignedPut, SignedPutOptions } from './bucket.ts'
import { probeKey } from './keys.ts'
import type { SignedPutForm } from './s3-presign.ts'

const probeBytes = 128
const probeTimeoutMs = 30_000

export interface ProbeTools {
  signPut(key: string, options: SignedPutOptions): Promise<SignedPut>
  delete(keys: readonly string[]): Promise<void>
}

/** True when the store enforces signed PUTs of this `form`. Rejects when it cannot be asked. */
export async function isFormEnforced(form: SignedPutForm, tools: ProbeTools): Promise<boolean> {
  const keys: string[] = []
  try {
    for (const attempt of attempts) {
      const bytes = randomBytes(probeBytes)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const key = probeKey()
      keys.push(key)
      const put = await tools.signPut(key, { form, sha256, sizeBytes: probeBytes, expiresInSeconds: 300 })
      const answer = await send(put, attempt.headers, attempt.body(bytes))
      if (answer !== attempt.answer) return false
    }
    return true
  } finally {
    await tools.delete(keys)
  }
}

interface Attempt {
  headers?: Record<string, string>
  body: (bytes: Buffer) => Buffer
  answer: 'taken' | 'refused'
}

const attempts: Attempt[] = [
  { answer: 'taken', body: (bytes) => bytes },
  { answer: 'refused', body: changeLastByte },
  { answer: 'refused', body: (bytes) => Buffer.concat([bytes, Buffer.from('x')]) },
  { answer: 'refused', body: (bytes) => bytes.subarray(1) },
  // A client that disowns the hash in a header of its own.
  { answer: 'refused', headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, body: changeLastByte },
  {
    answer: 'refused',
    headers: {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(probeBytes - chunkFrameBytes()),
      'content-encoding': 'aws-chunked',
    },
    body: (bytes) => frameAsChunk(bytes.subarray(0, probeBytes - chunkFrameBytes())),
  },
]

function changeLastByte(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes)
  changed[changed.length - 1] ^= 1
  return changed
}

/** One chunk of the `aws-chunked` encoding and the empty one that ends it. */
function frameAsChunk(bytes: Buffer): Buffer {
  const length = bytes.length.toString(16)
  return Buffer.concat([Buffer.from(`${length}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')])
}

/** How much the frame adds where the length has two hexadecimal digits: the request keeps the length it was signed for. */
function chunkFrameBytes(): number {
  return frameAsChunk(Buffer.alloc(0x10)).length - 0x10
}

async function send(put: SignedPut, headers: Record<string, string> | undefined, body: Buffer): Promise<string> {
  const response = await fetch(put.url, {
    method: 'PUT',
    headers: { ...put.headers, ...headers },
    body: new Uint8Array(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(probeTimeoutMs),
  })
  await response.arrayBuffer()
  if (response.ok) return 'taken'
  return isRefusal(response.status) ? 'refused' : `status ${response.status}`
}

/** 400 or 403, or another way to say no for good; not one that says "later", which proves nothing. */
function isRefusal(status: number): boolean {
  return (status >= 400 && status < 500 && status !== 408 && status !== 429) || status === 501
}
