/** Delta bases that will be asked for again, bounded in bytes; the least recently used go first. */

export interface DeltaBase {
  data: Buffer
  /** Where a tree's entries begin (`ReceivedTrees.accept`); undefined for other objects and where it is not sound. */
  starts: Uint32Array | undefined
}

export class BaseCache {
  readonly #maxBytes: number
  readonly #bases = new Map<number, DeltaBase>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(base: number): DeltaBase | undefined {
    return this.#bases.get(base)
  }

  /** Gets and removes. */
  take(base: number): DeltaBase | undefined {
    const found = this.#bases.get(base)
    if (found === undefined) return undefined
    this.#bases.delete(base)
    this.#bytes -= sizeOf(found)
    return found
  }

  put(number: number, base: DeltaBase): void {
    this.take(number)
    this.#bases.set(number, base)
    this.#bytes += sizeOf(base)
    for (const oldest of this.#bases.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === number) break
      this.take(oldest)
    }
  }
}

function sizeOf({ data, starts }: DeltaBase): number {
  return data.length + (starts?.byteLength ?? 0)
}
