/** Delta bases that will be asked for again, bounded in bytes; the least recently used go first. */
export class BaseCache {
  readonly #maxBytes: number
  readonly #bases = new Map<number, Buffer>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(base: number): Buffer | undefined {
    return this.#bases.get(base)
  }

  /** Gets and removes. */
  take(base: number): Buffer | undefined {
    const data = this.#bases.get(base)
    if (data === undefined) return undefined
    this.#bases.delete(base)
    this.#bytes -= data.length
    return data
  }

  put(base: number, data: Buffer): void {
    this.take(base)
    this.#bases.set(base, data)
    this.#bytes += data.length
    for (const oldest of this.#bases.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === base) break
      this.take(oldest)
    }
  }
}
