/** Reads a tree's entries one after the other, where they lie: nothing is copied and no string is made. */
import { HoldfastError } from '../../errors.ts'
import { idBytes } from '../object-id.ts'

const space = 0x20
const slash = 0x2f
// As octal digits: 40000 is a directory, 160000 a submodule's commit, which is not in this repository.
const treeMode = 0o040000
const gitlinkMode = 0o160000
const typeMask = 0o170000

export class TreeCursor {
  readonly data: Buffer
  isDone = false
  /** Of the current entry's 20-byte id. */
  idAt = 0
  #mode = 0
  #nameAt = 0
  #nameEnd = 0

  constructor(data: Buffer) {
    this.data = data
    this.#read(0)
  }

  get isTree(): boolean {
    return (this.#mode & typeMask) === treeMode
  }

  get isGitlink(): boolean {
    return (this.#mode & typeMask) === gitlinkMode
  }

  /** Goes to the next entry, or sets `isDone`. Throws ObjectInvalid. */
  next(): void {
    this.#read(this.idAt + idBytes)
  }

  hasIdOf(other: TreeCursor): boolean {
    for (let i = 0; i < idBytes; i++) {
      if (this.data[this.idAt + i] !== other.data[other.idAt + i]) return false
    }
    return true
  }

  /** Compares by git's order, in which a directory's name ends in a slash; 0 only for same name and same kind. */
  compare(other: TreeCursor): number {
    const length = Math.min(this.#nameEnd - this.#nameAt, other.#nameEnd - other.#nameAt)
    for (let i = 0; i < length; i++) {
      const difference = this.data[this.#nameAt + i] - other.data[other.#nameAt + i]
      if (difference !== 0) return difference
    }
    return this.#byteAfter(length) - other.#byteAfter(length) || this.#length - other.#length
  }

  get #length(): number {
    return this.#nameEnd - this.#nameAt
  }

  #byteAfter(length: number): number {
    if (length < this.#length) return this.data[this.#nameAt + length]
    return this.isTree ? slash : 0
  }

  #read(start: number): void {
    if (start === this.data.length) {
      this.isDone = true
      return
    }
    let at = start
    let mode = 0
    while (this.data[at] !== space && at < this.data.length) mode = (mode << 3) | (this.data[at++] & 7)
    this.#mode = mode
    this.#nameAt = at + 1
    this.#nameEnd = this.data.indexOf(0, at)
    this.idAt = this.#nameEnd + 1
    if (this.#nameEnd < 0 || this.idAt + idBytes > this.data.length) {
      throw new HoldfastError('ObjectInvalid', { message: 'A tree is malformed.' })
    }
  }
}
