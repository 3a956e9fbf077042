/**
 * Order and uniqueness of the names in a tree, asked of single entries. Together with what is known of another tree, whose
 * entries most of these are, that tells of the whole. Where tree-order.ts finds no fault this may find one, never the other
 * way round.
 */
import { isDirectory, TreeCursor } from '../tree.ts'

const slash = 0x2f

export class EntryPlaces {
  readonly #cursor = new TreeCursor(new Uint8Array(0))
  readonly #other = new TreeCursor(new Uint8Array(0))
  #starts: Uint32Array = new Uint32Array(0)
  #count = 0

  /** The tree's entries begin at `starts`; there are `count`. */
  reset(data: Uint8Array, starts: Uint32Array, count: number): void {
    this.#cursor.reset(data)
    this.#other.reset(data)
    this.#starts = starts
    this.#count = count
  }

  /** True where the entry sorts behind the one before it. */
  isInOrder(entry: number): boolean {
    if (entry === 0) return true
    const first = this.#read(this.#other, entry - 1)
    const second = this.#read(this.#cursor, entry)
    const { data } = first
    let a = first.nameAt
    let b = second.nameAt
    while (a < first.nameEnd && b < second.nameEnd && data[a] === data[b]) {
      a++
      b++
    }
    if (a === first.nameEnd && b === second.nameEnd) return false
    return byteAt(first, a) < byteAt(second, b)
  }

  /**
   * True where the entry is a file and there is a directory of the same name, or the other way round: what lies between
   * them begins with that name and a byte below the slash. All entries must be in order.
   */
  hasTwin(entry: number): boolean {
    const own = this.#read(this.#cursor, entry)
    const step = isDirectory(own.mode) ? -1 : 1
    for (let place = entry + step; place >= 0 && place < this.#count; place += step) {
      const other = this.#read(this.#other, place)
      if (!beginsWithNameOf(other, own)) return false
      const end = other.nameAt + own.nameEnd - own.nameAt
      if (end === other.nameEnd) return true
      if (other.data[end] >= slash) return false
    }
    return false
  }

  #read(cursor: TreeCursor, entry: number): TreeCursor {
    cursor.seek(this.#starts[entry])
    cursor.next()
    return cursor
  }
}

/** The byte by which the entry sorts at `position` of its name or behind it. */
function byteAt({ data, nameEnd, mode }: TreeCursor, position: number): number {
  if (position < nameEnd) return data[position]
  return isDirectory(mode) ? slash : 0
}

function beginsWithNameOf(other: TreeCursor, { data, nameAt, nameEnd }: TreeCursor): boolean {
  const length = nameEnd - nameAt
  if (other.nameEnd - other.nameAt < length) return false
  let index = 0
  while (index < length && data[other.nameAt + index] === data[nameAt + index]) index++
  return index === length
}
