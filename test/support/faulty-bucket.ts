/**
 * A bucket that fails, hangs, or loses its answer at a chosen call, around a real one. The faults are those of a store
 * across a network: what was asked may or may not have happened when the error arrives.
 */
import type { Bucket, ByteStream } from '../../src/bucket/bucket.ts'
import { HoldfastError } from '../../src/errors.ts'

/** A `putFile` counts as a `put`. */
export type BucketMethod = Exclude<keyof Bucket, 'putFile'>

export interface BucketFault {
  method: BucketMethod
  /** Which call of the method from now on, from 1; every call from there on where `isLasting`. */
  call?: number
  isLasting?: boolean
  /**
   * `before`: fails without doing anything. `after`: does it, then fails. `midway`: takes or gives `afterBytes` of a
   * put's or get's bytes, then fails. `hang`: waits for `release` or, in a put, for the signal, and then fails.
   */
  kind: 'before' | 'after' | 'midway' | 'hang'
  afterBytes?: number
  error?: Error
}

export interface FaultyBucket extends Bucket {
  /** How often each method was called so far. */
  readonly calls: Readonly<Record<BucketMethod, number>>
  addFault(fault: BucketFault): void
  removeFaults(): void
  /** Resolves when the next call hangs. */
  nextHang(): Promise<void>
  /** Lets what hangs fail. */
  release(): void
}

/** Wraps `bucket`; without faults it behaves as `bucket` does. */
export function faultyBucket(bucket: Bucket): FaultyBucket {
  const calls = { put: 0, get: 0, stat: 0, delete: 0, list: 0, openFile: 0, signedGet: 0, signedPut: 0, probe: 0 }
  let faults: (BucketFault & { atCall: number })[] = []
  let released = Promise.withResolvers<void>()
  let hanging = Promise.withResolvers<void>()

  function count(method: BucketMethod): BucketFault | undefined {
    calls[method] += 1
    const isHit = (fault: { atCall: number; isLasting?: boolean }) =>
      fault.atCall === calls[method] || (fault.isLasting === true && fault.atCall <= calls[method])
    return faults.find((fault) => fault.method === method && isHit(fault))
  }

  async function hang(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    signal?.addEventListener('abort', () => resolve(), { once: true })
    if (signal?.aborted) resolve()
    hanging.resolve()
    await Promise.race([promise, released.promise])
    signal?.throwIfAborted()
  }

  async function run<T>(
    method: BucketMethod,
    call: (fault: BucketFault | undefined) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const fault = count(method)
    if (fault?.kind === 'hang') await hang(signal)
    if (fault?.kind === 'before' || fault?.kind === 'hang') throw errorOf(fault)
    const result = await call(fault)
    if (fault?.kind === 'after') throw errorOf(fault)
    return result
  }

  return {
    calls,
    addFault: (fault) => void faults.push({ ...fault, atCall: calls[fault.method] + (fault.call ?? 1) }),
    removeFaults() {
      faults = []
    },
    nextHang() {
      hanging = Promise.withResolvers()
      return hanging.promise
    },
    release() {
      released.resolve()
      released = Promise.withResolvers()
    },
    put: (key, body, options) =>
      run('put', (fault) => bucket.put(key, breakMidway(body, fault), options), options?.signal),
    putFile: (key, file, options) =>
      run(
        'put',
        (fault) =>
          fault?.kind === 'midway'
            ? bucket.put(key, breakMidway(file.stream(), fault), options)
            : bucket.putFile(key, file, options),
        options?.signal,
      ),
    get: (key, range) => run('get', async (fault) => breakMidway(await bucket.get(key, range), fault)),
    stat: (key) => run('stat', () => bucket.stat(key)),
    delete: (keys) => run('delete', () => bucket.delete(keys)),
    async *list(prefix) {
      const found = await run('list', async () => bucket.list(prefix))
      yield* found
    },
    openFile: (key) => run('openFile', () => bucket.openFile(key)),
    signedGet: (key, options) => run('signedGet', () => bucket.signedGet(key, options)),
    signedPut: (key, options) => run('signedPut', () => bucket.signedPut(key, options)),
    probe: () => run('probe', () => bucket.probe()),
  }
}

function errorOf(fault: BucketFault): Error {
  return fault.error ?? new HoldfastError('Unavailable', { message: `The bucket failed at ${fault.method}.` })
}

function breakMidway(bytes: ByteStream, fault: BucketFault | undefined): ByteStream {
  return fault?.kind === 'midway' ? breakAfter(bytes, fault.afterBytes ?? 0, errorOf(fault)) : bytes
}

async function* breakAfter(bytes: ByteStream, afterBytes: number, error: Error): AsyncGenerator<Uint8Array> {
  let rest = afterBytes
  for await (const chunk of bytes) {
    if (chunk.length > rest) {
      if (rest > 0) yield chunk.subarray(0, rest)
      throw error
    }
    rest -= chunk.length
    yield chunk
  }
  throw error
}
