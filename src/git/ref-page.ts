/** A run of refs in byte order of their names, as flat bytes: an object for each would cost a repository of many refs twice as much. */
import { idBytes, nullId, type ObjectId, objectIdAt } from './object-id.ts'
import type { Ref } from './repository.ts'

/** As the database gives them. */
export interface RefColumns {
  /** Joined by line feeds, which no name contains. */
  names: Buffer
  /** One behind the other. */
  ids: Buffer
  /** As many, zeros for refs that are no annotated tags; undefined where none is. */
  peeledIds: Buffer | undefined
}

export class RefPage {
  readonly count: number
  readonly sizeBytes: number
  readonly #names: Buffer
  /** Where the name of each begins, and where the last ends. */
  readonly #starts: Uint32Array
  readonly #ids: Buffer
  readonly #peeledIds: Buffer | undefined

  constructor(names: Buffer, starts: Uint32Array, { ids, peeledIds }: Omit<RefColumns, 'names'>) {
    this.count = starts.length - 1
    this.#names = names
    this.#starts = starts
    this.#ids = ids
    this.#peeledIds = peeledIds
    this.sizeBytes = names.length + starts.byteLength + ids.length + (peeledIds?.length ?? 0)
  }

  static fromColumns({ names, ids, peeledIds }: RefColumns): RefPage {
    const count = ids.length / idBytes
    const packed = Buffer.allocUnsafeSlow(names.length - (count - 1))
    const starts = new Uint32Array(count + 1)
    for (let index = 0, from = 0, to = 0; index < count; index++) {
      const feed = names.indexOf(lineFeed, from)
      const end = feed < 0 ? names.length : feed
      to += names.copy(packed, to, from, end)
      starts[index + 1] = to
      from = end + 1
    }
    return new RefPage(packed, starts, { ids, peeledIds })
  }

  get hasPeeled(): boolean {
    return this.#peeledIds !== undefined
  }

  at(index: number): Ref {
    const name = this.#names.toString('latin1', this.#starts[index], this.#starts[index + 1])
    return { name, id: objectIdAt(this.#ids, index * idBytes), peeledId: this.#peeledAt(index) }
  }

  /** All of them; their texts share the memory of a few strings. */
  list(): Ref[] {
    const names = this.#names.toString('latin1')
    const ids = this.ids()
    return ids.map((id, index) => {
      const name = names.slice(this.#starts[index], this.#starts[index + 1])
      return { name, id, peeledId: this.#peeledAt(index) }
    })
  }

  ids(): ObjectId[] {
    const text = this.#ids.toString('hex')
    return Array.from({ length: this.count }, (_, index) => {
      return text.slice(index * 2 * idBytes, (index + 1) * 2 * idBytes) as ObjectId
    })
  }

  /** The first index whose name is not below `name`; the count where all are below. */
  findIndex(name: Buffer): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compareAt(middle, name) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Below, at or above 0 as the name there is to `name`. */
  compareAt(index: number, name: Buffer): number {
    return this.#names.compare(name, 0, name.length, this.#starts[index], this.#starts[index + 1])
  }

  /** Takes out of `wanted` what refs and annotated tags point to; its keys are the first four bytes of ids. */
  strikeTips(wanted: Map<number, Set<ObjectId>>): void {
    for (const ids of this.#peeledIds === undefined ? [this.#ids] : [this.#ids, this.#peeledIds]) {
      for (let at = 0; at < ids.length; at += idBytes) {
        const alike = wanted.get(ids[at] | (ids[at + 1] << 8) | (ids[at + 2] << 16) | (ids[at + 3] << 24))
        if (alike !== undefined) alike.delete(objectIdAt(ids, at))
      }
    }
  }

  /** The bytes of the refs from `from` up to `to`, for a page to be made of them. */
  columns(from: number, to: number): { names: Buffer; lengths: number[]; ids: Buffer; peeledIds: Buffer | undefined } {
    const starts = this.#starts
    return {
      names: this.#names.subarray(starts[from], starts[to]),
      lengths: Array.from({ length: to - from }, (_, index) => starts[from + index + 1] - starts[from + index]),
      ids: this.#ids.subarray(from * idBytes, to * idBytes),
      peeledIds: this.#peeledIds?.subarray(from * idBytes, to * idBytes),
    }
  }

  #peeledAt(index: number): ObjectId | undefined {
    if (this.#peeledIds === undefined) return undefined
    const peeledId = objectIdAt(this.#peeledIds, index * idBytes)
    return peeledId === nullId ? undefined : peeledId
  }
}

const lineFeed = 0x0a

/** Makes a page of parts of others and of single refs, given in order. */
export class RefPageBuilder {
  readonly #names: Buffer[] = []
  readonly #lengths: number[] = []
  readonly #ids: Buffer[] = []
  readonly #peeledIds: Buffer[] = []
  #hasPeeled = false

  get count(): number {
    return this.#lengths.length
  }

  add({ name, id, peeledId }: Ref): void {
    this.#names.push(Buffer.from(name, 'latin1'))
    this.#lengths.push(name.length)
    this.#ids.push(Buffer.from(id, 'hex'))
    this.#peeledIds.push(Buffer.from(peeledId ?? nullId, 'hex'))
    this.#hasPeeled ||= peeledId !== undefined
  }

  addFrom(page: RefPage, from: number, to: number): void {
    if (from === to) return
    const { names, lengths, ids, peeledIds } = page.columns(from, to)
    this.#names.push(names)
    for (const length of lengths) this.#lengths.push(length)
    this.#ids.push(ids)
    this.#peeledIds.push(peeledIds ?? Buffer.alloc(ids.length))
    this.#hasPeeled ||= peeledIds !== undefined
  }

  finish(): RefPage {
    const starts = new Uint32Array(this.count + 1)
    for (const [index, length] of this.#lengths.entries()) starts[index + 1] = starts[index] + length
    return new RefPage(joined(this.#names), starts, {
      ids: joined(this.#ids),
      peeledIds: this.#hasPeeled ? joined(this.#peeledIds) : undefined,
    })
  }
}

/** In memory of its own: a page lives long, and Node's pool lives as long as what was taken from it. */
function joined(parts: readonly Buffer[]): Buffer {
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let at = 0
  for (const part of parts) at += part.copy(bytes, at)
  return bytes
}
