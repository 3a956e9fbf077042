/**
 * A number for each ordinal, 0 at first, in pages that are made when they are first written to. Flat arrays as long as a
 * repository has objects made a push of one commit allocate a megabyte, and the collector of garbage follow it.
 */
import type { Ordinal } from '../repository.ts'

const pageBits = 9
const pageLength = 2 ** pageBits
const untouched = new Uint32Array(pageLength)

export class OrdinalNumbers {
  readonly #pages: Uint32Array[]

  constructor(ordinalCount: number) {
    this.#pages = new Array(Math.ceil(ordinalCount / pageLength)).fill(untouched)
  }

  get(ordinal: Ordinal): number {
    return this.#pages[ordinal >>> pageBits][ordinal & (pageLength - 1)]
  }

  set(ordinal: Ordinal, value: number): void {
    const number = ordinal >>> pageBits
    if (this.#pages[number] === untouched) this.#pages[number] = new Uint32Array(pageLength)
    this.#pages[number][ordinal & (pageLength - 1)] = value
  }
}
