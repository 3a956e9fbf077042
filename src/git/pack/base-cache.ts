/** Delta bases that will be asked for again, bounded in bytes; the least recently used go first. */
import type { BaseMemory } from './base-memory.ts'

export interface DeltaBase {
  data: Buffer
  /** Where a tree's entries begin (`ReceivedTrees.accept`); undefined for other objects and where it is not sound. */
  starts: Uint32Array | undefined
  /** What the two lie in, to be given back; empty where it is left to the garbage collector. */
  lent: readonly ArrayBuffer[]
}

export class BaseCache {
  readonly #maxBytes: number
  readonly #memory: BaseMemory
  readonly #bases = new Map<number, DeltaBase>()
  #bytes = 0

  /** What is dropped is given back to `memory`. */
  constructor(maxBytes: number, memory: BaseMemory) {
    this.#maxBytes = maxBytes
    this.#memory = memory
  }

  get(number: number): DeltaBase | undefined {
    return this.#bases.get(number)
  }

  /** Gets and removes; giving back what it lies in is the caller's. */
  take(number: number): DeltaBase | undefined {
    const base = this.#bases.get(number)
    if (base === undefined) return undefined
    this.#bases.delete(number)
    this.#bytes -= sizeOf(base)
    return base
  }

  put(number: number, base: DeltaBase): void {
    this.take(number)
    this.#bases.set(number, base)
    this.#bytes += sizeOf(base)
    for (const oldest of this.#bases.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === number) break
      this.#drop(oldest)
    }
  }

  #drop(number: number): void {
    this.#memory.giveBackAll(this.take(number)?.lent ?? [])
  }
}

function sizeOf({ data, starts, lent }: DeltaBase): number {
  if (lent.length > 0) return lent.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return data.length + (starts?.byteLength ?? 0)
}
