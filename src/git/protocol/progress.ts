/** Progress and signs of life in side-band 2 and 1 while the server works on an answer. */
import { bandPackets, keepAlivePacket, progressBand, type SideBand } from './side-band.ts'

// git's own interval: proxies and clients close connections that stay silent for long.
const keepAliveMs = 5_000

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
    if (this.#lines.at(-1)?.endsWith('\r')) this.#lines.pop()
    this.#lines.push(text)
    this.#wake()
  }

  /**
   * Yields what is sent, and keep-alive packets, until `work` settles; returns or throws what it does. While `mayWrite`
   * is false nothing is yielded.
   */
  async *until<T>(work: Promise<T>, mayWrite: () => boolean = () => true): AsyncGenerator<Buffer, T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
      this.#wake()
    }
    work.then(settle, settle)
    while (!isSettled) {
      const hasNews = await this.#waitForNews(() => isSettled || (this.#lines.length > 0 && mayWrite()))
      if (this.#sideBand === undefined || isSettled || !mayWrite()) continue
      if (hasNews) yield this.#take(this.#sideBand)
      else yield keepAlivePacket
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
