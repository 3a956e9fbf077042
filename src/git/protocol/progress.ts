/** Progress and signs of life in side-band 2 and 1 while the server works on an answer. */
import { bandPackets, keepAlivePacket, progressBand, type SideBand } from './side-band.ts'

// git's own interval: proxies and clients close connections that stay silent for long.
const keepAliveMs = 5_000

export interface UntilOptions {
  /** Makes the work reject soon. */
  stop(): void
  /** While it says no, nothing is yielded. */
  mayWrite?(): boolean
}

/** Takes lines from synchronous work and hands them to the stream that the client reads. */
export class ProgressChannel {
  readonly #sideBand: SideBand
  #lines: string[] = []
  #wake: () => void = () => {}

  /** Without a side-band everything is dropped. */
  constructor(sideBand: SideBand) {
    this.#sideBand = sideBand
  }

  /** A line for the person; one that ends in a carriage return gives way to the next. */
  send(text: string): void {
    if (this.#sideBand === undefined) return
    if (this.#lines.at(-1)?.endsWith('\r')) this.#lines.pop()
    this.#lines.push(text)
    this.#wake()
  }

  /**
   * Yields what is sent, and keep-alive packets, until `work` settles; returns or throws what it does. Where the stream
   * is left before, the work is told to stop and awaited: it may still read what the stream's owner closes next.
   */
  async *until<T>(work: Promise<T>, { stop, mayWrite = () => true }: UntilOptions): AsyncGenerator<Buffer, T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
      this.#wake()
    }
    const settled = work.then(settle, settle)
    try {
      while (!isSettled) {
        const hasNews = await this.#waitForNews(() => isSettled || (this.#lines.length > 0 && mayWrite()))
        if (this.#sideBand === undefined || isSettled || !mayWrite()) continue
        yield hasNews ? this.#take(this.#sideBand) : keepAlivePacket
      }
    } finally {
      if (!isSettled) stop()
      await settled
    }
    if (this.#sideBand !== undefined && this.#lines.length > 0) yield this.#take(this.#sideBand)
    return await work
  }

  #take(sideBand: number): Buffer {
    const text = this.#lines.join('')
    this.#lines = []
    return bandPackets(progressBand, text, sideBand)
  }

  /** True when `isNews` holds; false when the interval has passed in silence. */
  async #waitForNews(isNews: () => boolean): Promise<boolean> {
    if (isNews()) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, keepAliveMs)
    this.#wake = () => {
      if (isNews()) resolve()
    }
    await promise
    clearTimeout(timer)
    return isNews()
  }
}
