/**
 * The refs of a snapshot in byte order of their names, which are latin1, so that JavaScript compares them as bytes. They
 * lie in pages that never change: what a push moved is in a list that shares all other pages with the one before.
 */
import type { ObjectId } from './object-id.ts'
import { type RefColumns, RefPage, RefPageBuilder } from './ref-page.ts'
import type { Ref } from './repository.ts'

/** As many refs stand in a page at first. Larger ones make a moved ref dearer, smaller ones a list of all. */
export const refsPerPage = 1024

/** What a ref of that name is now; undefined: gone. */
export interface RefChange {
  name: string
  ref: Ref | undefined
}

export class RefList implements Iterable<Ref> {
  readonly length: number
  readonly sizeBytes: number
  readonly #pages: readonly RefPage[]
  #annotated: readonly Ref[] | undefined

  private constructor(pages: readonly RefPage[]) {
    this.#pages = pages.filter(({ count }) => count > 0)
    this.length = pages.reduce((sum, { count }) => sum + count, 0)
    this.sizeBytes = pages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** Of refs in order. */
  static of(refs: Iterable<Ref>): RefList {
    const writer = new PageWriter()
    for (const ref of refs) writer.room().add(ref)
    return new RefList(writer.finish())
  }

  /** Of columns that follow one another in order. */
  static fromColumns(columns: readonly RefColumns[]): RefList {
    return new RefList(columns.map((each) => RefPage.fromColumns(each)))
  }

  *[Symbol.iterator](): Generator<Ref> {
    for (const page of this.#pages) yield* page.list()
  }

  map<T>(of: (ref: Ref) => T): T[] {
    return Array.from(this, of)
  }

  filter(isKept: (ref: Ref) => boolean): RefList {
    const writer = new PageWriter()
    for (const page of this.#pages) {
      for (const [index, ref] of page.list().entries()) if (isKept(ref)) writer.room().addFrom(page, index, index + 1)
    }
    return new RefList(writer.finish())
  }

  /** The ids, in the order of the refs: not each once. */
  ids(): ObjectId[] {
    return this.#pages.flatMap((page) => page.ids())
  }

  /** Those that are annotated tags, wherever they lie. */
  annotated(): readonly Ref[] {
    this.#annotated ??= this.#pages
      .filter(({ hasPeeled }) => hasPeeled)
      .flatMap((page) => page.list().filter(({ peeledId }) => peeledId !== undefined))
    return this.#annotated
  }

  /** The ref of exactly that name. */
  get(name: string): Ref | undefined {
    const bytes = Buffer.from(name, 'latin1')
    const page = this.#pages[this.#findPage(bytes)]
    const index = page?.findIndex(bytes) ?? 0
    return page !== undefined && index < page.count && page.compareAt(index, bytes) === 0 ? page.at(index) : undefined
  }

  /** The refs whose names begin with one of `prefixes`, in order, each once; in time that does not grow with all others. */
  *withPrefixes(prefixes: readonly string[]): Iterable<Ref> {
    let covered: string | undefined
    for (const prefix of [...prefixes].sort()) {
      if (covered !== undefined && prefix.startsWith(covered)) continue
      covered = prefix
      for (const ref of this.#from(prefix)) {
        if (!ref.name.startsWith(prefix)) break
        yield ref
      }
    }
  }

  /** Those of `ids` that no ref points to, neither itself nor as an annotated tag. */
  withoutTips(ids: Iterable<ObjectId>): ObjectId[] {
    const wanted = new Map<number, Set<ObjectId>>()
    for (const id of ids) {
      const key = Buffer.from(id.slice(0, 8), 'hex').readInt32LE()
      wanted.set(key, (wanted.get(key) ?? new Set()).add(id))
    }
    if (wanted.size > 0) for (const page of this.#pages) page.strikeTips(wanted)
    return [...wanted.values()].flatMap((left) => [...left])
  }

  /** This list after `changes`, which name each ref once and are in order as well. */
  changed(changes: readonly RefChange[]): RefList {
    const pages: RefPage[] = []
    let next = 0
    const last = this.#pages.length - 1
    for (const [number, page] of this.#pages.entries()) {
      const first = next
      while (next < changes.length && (number === last || this.#findPage(latin1(changes[next].name)) <= number)) next++
      if (first === next) pages.push(page)
      else pages.push(...changePage(page, changes.slice(first, next)))
    }
    const added = RefList.of(changes.slice(next).flatMap(({ ref }) => ref ?? []))
    return new RefList([...pages, ...added.#pages])
  }

  /** From the first whose name is not below `name` on. */
  *#from(name: string): Iterable<Ref> {
    const bytes = latin1(name)
    const first = this.#findPage(bytes)
    for (let number = first; number < this.#pages.length; number++) {
      const page = this.#pages[number]
      for (let index = number === first ? page.findIndex(bytes) : 0; index < page.count; index++) yield page.at(index)
    }
  }

  /** The number of the page in whose range a name falls: the last that does not begin above it. */
  #findPage(name: Buffer): number {
    let low = 0
    let high = this.#pages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#pages[middle].compareAt(0, name) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

function latin1(name: string): Buffer {
  return Buffer.from(name, 'latin1')
}

function changePage(page: RefPage, changes: readonly RefChange[]): RefPage[] {
  const builder = new RefPageBuilder()
  let from = 0
  for (const { name, ref } of changes) {
    const bytes = latin1(name)
    const at = page.findIndex(bytes)
    builder.addFrom(page, from, at)
    if (ref !== undefined) builder.add(ref)
    from = at < page.count && page.compareAt(at, bytes) === 0 ? at + 1 : at
  }
  builder.addFrom(page, from, page.count)
  return divide(builder.finish())
}

/** In equal parts where it has grown too large: a full page and a rest would leave behind more and more small rests. */
function divide(page: RefPage): RefPage[] {
  if (page.count <= 2 * refsPerPage) return [page]
  const parts = Math.ceil(page.count / refsPerPage)
  return Array.from({ length: parts }, (_, part) => {
    const builder = new RefPageBuilder()
    const [from, to] = [part, part + 1].map((edge) => Math.floor((page.count * edge) / parts))
    builder.addFrom(page, from, to)
    return builder.finish()
  })
}

/** Full pages one behind the other. */
class PageWriter {
  readonly #pages: RefPage[] = []
  #builder = new RefPageBuilder()

  /** Where the next ref goes. */
  room(): RefPageBuilder {
    if (this.#builder.count >= refsPerPage) this.#close()
    return this.#builder
  }

  finish(): RefPage[] {
    this.#close()
    return this.#pages
  }

  #close(): void {
    this.#pages.push(this.#builder.finish())
    this.#builder = new RefPageBuilder()
  }
}
