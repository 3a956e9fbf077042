/**
 * Matching a glob by carrying all the places in it that the text may have come to, never by going back: who can push
 * chooses both, and backtracking over many stars takes exponential time. The places are bits, 32 of which move at once.
 */

/** One element of a glob: a byte, a set of bytes, or a star of either kind. No star stands beside another. */
export type GlobElement =
  | { kind: 'byte'; byte: number }
  | { kind: 'set'; has: (byte: number) => boolean }
  /** `*`: any bytes but slashes; `**` between slashes: any bytes. With `skipsSlash` the slash behind it may be missing. */
  | { kind: 'star'; crossesSlashes: boolean; skipsSlash: boolean }

type Consuming = Exclude<GlobElement, { kind: 'star' }>

const slash = 0x2f

export class Glob {
  /** What takes a byte each; place n is in front of the element n. */
  readonly #elements: Consuming[] = []
  readonly #leastBytes: number
  /** Places that a star stands at: of any kind, of those that take slashes, and of those that may skip one. */
  readonly #stars: Uint32Array
  readonly #slashStars: Uint32Array
  readonly #skips: Uint32Array
  /** By byte: the places whose element takes it. Made for those bytes that come. */
  readonly #takenBy: (Uint32Array | undefined)[] = []

  constructor(elements: readonly GlobElement[]) {
    const words = (elements.length >>> 5) + 1
    this.#stars = new Uint32Array(words)
    this.#slashStars = new Uint32Array(words)
    this.#skips = new Uint32Array(words)
    let skipCount = 0
    for (const element of elements) {
      const place = this.#elements.length
      if (element.kind !== 'star') this.#elements.push(element)
      else {
        add(this.#stars, place)
        if (element.crossesSlashes) add(this.#slashStars, place)
        if (element.skipsSlash) add(this.#skips, place)
        if (element.skipsSlash) skipCount++
      }
    }
    this.#leastBytes = this.#elements.length - skipCount
  }

  /** True where it matches the whole text: in time proportional to a 32nd of the product of both lengths at worst. */
  matches(text: string): boolean {
    // So that what is longer than any path costs nothing.
    if (text.length < this.#leastBytes) return false
    let places: Uint32Array = new Uint32Array(this.#stars.length)
    let next: Uint32Array = new Uint32Array(this.#stars.length)
    add(places, 0)
    if ((this.#skips[0] & 1) !== 0) add(places, 1)
    for (let at = 0; at < text.length; at++) {
      if (!this.#step(places, text.charCodeAt(at), next)) return false
      const free = places
      places = next
      next = free
    }
    const end = this.#elements.length
    return (places[end >>> 5] & (1 << (end & 31))) !== 0
  }

  /** The places that a byte leads to; false where there are none. */
  #step(places: Uint32Array, byte: number, next: Uint32Array): boolean {
    this.#takenBy[byte] ??= this.#findTaking(byte)
    const taking = this.#takenBy[byte]
    const staying = byte === slash ? this.#slashStars : this.#stars
    let stepCarry = 0
    let skipCarry = 0
    let any = 0
    for (let word = 0; word < places.length; word++) {
      const taken = places[word] & taking[word]
      const entered = (taken << 1) | stepCarry
      stepCarry = taken >>> 31
      // A slash may be missing only where its star begins, not once the star has taken bytes.
      const skipping = entered & this.#skips[word]
      const all = entered | (skipping << 1) | skipCarry | (places[word] & staying[word])
      skipCarry = skipping >>> 31
      next[word] = all
      any |= all
    }
    return any !== 0
  }

  #findTaking(byte: number): Uint32Array {
    const taking = new Uint32Array(this.#stars.length)
    for (const [place, element] of this.#elements.entries()) {
      if (element.kind === 'byte' ? element.byte === byte : element.has(byte)) add(taking, place)
    }
    return taking
  }
}

function add(places: Uint32Array, place: number): void {
  places[place >>> 5] |= 1 << (place & 31)
}
