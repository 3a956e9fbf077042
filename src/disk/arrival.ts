/**
 * A file that can be read from the front while its bytes still come: several ranges are under way at a time, since one
 * connection to a distant store is slow, and each is written to its place.
 */
import type { FileHandle } from 'node:fs/promises'

/**
 * Bytes `start` up to and including `end`, as buckets count them. A chunk is written before the next is asked for: large
 * ones, since a write costs as much as copying some 100 KB.
 */
export type ReadRange = (range: { start: number; end: number }) => Promise<AsyncIterable<Uint8Array>>

const rangeBytes = 8 * 1024 * 1024
const rangesAtOnce = 4

interface Waiter {
  end: number
  resolve(): void
  reject(error: unknown): void
}

/** One for each fill of a file. */
export class Arrival {
  /** Settles when nothing comes any more, and nothing is being written; resolves where all has come. */
  readonly whole: Promise<void>
  readonly #handle: FileHandle
  readonly #sizeBytes: number
  readonly #read: ReadRange
  /** How many bytes have come of each range. */
  readonly #come: number[]
  /** The first range that has not come to its end. */
  #front = 0
  #next = 0
  readonly #sources = new Set<AsyncIterator<Uint8Array>>()
  #waiters: Waiter[] = []
  #failure: { error: unknown } | undefined

  /** `first` is what `read` gave for `firstRange`. The handle stays open until `whole` has settled. */
  constructor(handle: FileHandle, sizeBytes: number, read: ReadRange, first: AsyncIterable<Uint8Array>) {
    this.#handle = handle
    this.#sizeBytes = sizeBytes
    this.#read = read
    this.#come = new Array(Math.ceil(sizeBytes / rangeBytes)).fill(0)
    this.whole = this.#bringAll(first)
    // Whoever reads hears of it.
    this.whole.catch(() => {})
  }

  /** What can be read: all bytes up to here. */
  get arrivedBytes(): number {
    return this.#front * rangeBytes + (this.#come[this.#front] ?? 0)
  }

  /** Resolves when the first `end` bytes can be read. Rejects where they will not come, or once `signal` fires. */
  async until(end: number, signal?: AbortSignal): Promise<void> {
    if (this.arrivedBytes >= end) return
    if (this.#failure !== undefined) throw this.#failure.error
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { end, resolve, reject }
    const giveUp = () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    this.#waiters.push(waiter)
    await promise.finally(() => signal?.removeEventListener('abort', giveUp))
  }

  /** No more is to come. What is under way is left at once. */
  cancel(error: unknown): void {
    if (this.#failure !== undefined || this.arrivedBytes >= this.#sizeBytes) return
    this.#failure = { error }
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
    for (const source of this.#sources) void leave(source)
  }

  async #bringAll(first: AsyncIterable<Uint8Array>): Promise<void> {
    const lanes = [this.#bringNext(first)]
    while (lanes.length < rangesAtOnce) lanes.push(this.#bringNext())
    const ended = lanes.map((lane) => lane.catch((error: unknown) => this.cancel(error)))
    await Promise.all(ended)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Brings one range after another, each of them the first that nobody has begun. */
  async #bringNext(first?: AsyncIterable<Uint8Array>): Promise<void> {
    let bytes = first
    while (this.#next < this.#come.length && this.#failure === undefined) {
      const number = this.#next++
      bytes ??= await this.#read(rangeOf(number, this.#sizeBytes))
      await this.#bring(number, bytes[Symbol.asyncIterator]())
      bytes = undefined
    }
  }

  async #bring(number: number, source: AsyncIterator<Uint8Array>): Promise<void> {
    this.#sources.add(source)
    try {
      const { start, end } = rangeOf(number, this.#sizeBytes)
      for (let left = end + 1 - start; left > 0; ) {
        if (this.#failure !== undefined) return
        const next = await source.next()
        if (next.done || next.value.length > left) throw lengthWrong()
        await writeAll(this.#handle, next.value, start + this.#come[number])
        left -= next.value.length
        this.#note(number, next.value.length)
      }
      // To its end, so that the connection can be used again.
      if (!(await source.next()).done) throw lengthWrong()
    } finally {
      this.#sources.delete(source)
      await leave(source)
    }
  }

  #note(number: number, bytes: number): void {
    this.#come[number] += bytes
    while (this.#front < this.#come.length - 1 && this.#come[this.#front] === rangeBytes) this.#front++
    const arrived = this.arrivedBytes
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ end }) => end > arrived)
    for (const { end, resolve } of waiters) if (end <= arrived) resolve()
  }
}

/** What `Arrival` wants to be given the bytes of. */
export function firstRange(sizeBytes: number): { start: number; end: number } {
  return rangeOf(0, sizeBytes)
}

function rangeOf(number: number, sizeBytes: number): { start: number; end: number } {
  const start = number * rangeBytes
  return { start, end: Math.min(start + rangeBytes, sizeBytes) - 1 }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done)
    done += bytesWritten
  }
}

function lengthWrong(): Error {
  return new Error('The bucket gave another length than was asked for.')
}

/** What the source's end meets no longer matters to anybody. */
async function leave(source: AsyncIterator<Uint8Array>): Promise<void> {
  await Promise.resolve(source.return?.()).catch(() => {})
}
