/**
 * What all packs that are being received may hold in memory together. Each holds tables by object and delta bases; one that
 * finds no room waits, and its client with it, since nothing of it is read meanwhile.
 */
const basesBytes = 96 * 1024 * 1024
// Entry tables, ids and what they refer to, and the index and side-car that are made of them; tables grow by doubling.
const bytesPerObject = 256

interface Waiter {
  bytes: number
  enter(): void
}

export class ReceiveMemory {
  readonly #maxBytes: number
  readonly #queue: Waiter[] = []
  #takenBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Room for a pack whose header says that it has `objectCount` objects; the returned function gives it back. First come,
   * first served; what is larger than all there is takes all of it. Rejects with the signal's reason.
   */
  async take(objectCount: number, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    const bytes = Math.min(this.#maxBytes, basesBytes + objectCount * bytesPerObject)
    if (this.#queue.length > 0 || this.#takenBytes + bytes > this.#maxBytes) await this.#wait(bytes, signal)
    else this.#takenBytes += bytes
    return () => {
      this.#takenBytes -= bytes
      this.#admit()
    }
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { bytes, enter: resolve }
    const leave = () => {
      this.#queue.splice(this.#queue.indexOf(waiter), 1)
      reject(signal?.reason)
      this.#admit()
    }
    this.#queue.push(waiter)
    signal?.addEventListener('abort', leave, { once: true })
    waiter.enter = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    await promise
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#takenBytes + next.bytes > this.#maxBytes) return
      this.#queue.shift()
      this.#takenBytes += next.bytes
      next.enter()
    }
  }
}
