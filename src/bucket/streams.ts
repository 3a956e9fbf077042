/** Byte streams of buckets: a source that can be cancelled, one that frees what it holds, and one made of a single chunk. */
import type { ByteStream } from './bucket.ts'

/**
 * The chunks of `bytes` until `signal` aborts; then throws the signal's reason at once, even while the source hangs.
 * However it ends, the source is told to return.
 */
export async function* untilAborted(bytes: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (signal === undefined) return yield* bytes
  const source = bytes[Symbol.asyncIterator]()
  let refuse: ((reason: unknown) => void) | undefined
  const abort = () => refuse?.(signal.reason)
  signal.addEventListener('abort', abort)
  let isEnded = false
  try {
    for (;;) {
      signal.throwIfAborted()
      // No Promise.race with one promise for the signal: every race would stay attached to it, and hold its chunk, until
      // the whole body has passed (1 GiB of memory for 1 GiB of body).
      const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        refuse = reject
        source.next().then(resolve, reject)
      })
      isEnded = step.done === true
      if (isEnded) return
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    const returning = isEnded ? undefined : source.return?.()
    // After a cancel it is not awaited: a generator that hangs in next() answers return() when it comes back, if ever.
    if (signal.aborted) returning?.catch(() => {})
    else await returning
  }
}

/**
 * `bytes`, with `release` called once when they end, fail, or are left: also before the first chunk was asked for,
 * where a generator's `finally` does not run. `release` must let a read that hangs end.
 */
export function releasing(
  bytes: AsyncGenerator<Uint8Array>,
  release: () => void | Promise<void>,
): AsyncIterableIterator<Uint8Array> {
  let isReleased = false
  async function finish(): Promise<void> {
    if (isReleased) return
    isReleased = true
    await release()
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const step = await bytes.next()
        if (step.done) await finish()
        return step
      } catch (error) {
        await finish()
        throw error
      }
    },
    async return() {
      await finish()
      await bytes.return(undefined)
      return { done: true, value: undefined }
    },
  }
}

/** `bytes` as a stream. */
export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
