/** Order and uniqueness of the names in a tree (fsck.c, verify_ordered). */
import { isDirectory, type TreeCursor } from '../tree.ts'

export const duplicate = 1
export const notSorted = 2

const slash = 0x2f

/** Checks order and uniqueness of the names of one tree, entry by entry. */
export class TreeOrder {
  readonly #data: Buffer
  #nameAt = -1
  #nameEnd = 0
  #isDirectory = false
  /**
   * Files that a directory of the same name may still follow, since `foo/` sorts behind `foo.bar`: pairs of name start
   * and end, each the beginning of the next.
   */
  readonly #openFiles: number[] = []

  constructor(data: Buffer) {
    this.#data = data
  }

  /** Takes the next entry; a bit where it does not belong behind the ones before. */
  add(cursor: TreeCursor): number {
    const isDirectoryNow = isDirectory(cursor.mode)
    const fault = this.#nameAt < 0 ? 0 : this.#compare(cursor.nameAt, cursor.nameEnd, isDirectoryNow)
    this.#nameAt = cursor.nameAt
    this.#nameEnd = cursor.nameEnd
    this.#isDirectory = isDirectoryNow
    return fault
  }

  #compare(nameAt: number, nameEnd: number, isDirectoryNow: boolean): number {
    const data = this.#data
    let a = this.#nameAt
    let b = nameAt
    while (a < this.#nameEnd && b < nameEnd && data[a] === data[b]) {
      a++
      b++
    }
    if (a === this.#nameEnd && b === nameEnd) return duplicate
    const lastByte = a < this.#nameEnd ? data[a] : this.#isDirectory ? slash : 0
    const nextByte = b < nameEnd ? data[b] : isDirectoryNow ? slash : 0
    if (lastByte > nextByte) return notSorted
    if (lastByte === 0 && nextByte < slash) this.#openFiles.push(this.#nameAt, this.#nameEnd)
    else if (nextByte === slash && b === nameEnd && lastByte < slash) return this.#closeFiles(nameAt, nameEnd)
    return 0
  }

  #closeFiles(nameAt: number, nameEnd: number): number {
    const data = this.#data
    while (this.#openFiles.length > 0) {
      const fileEnd = this.#openFiles.pop() as number
      const fileAt = this.#openFiles.pop() as number
      const length = fileEnd - fileAt
      if (length > nameEnd - nameAt || data.compare(data, fileAt, fileEnd, nameAt, nameAt + length) !== 0) continue
      if (length === nameEnd - nameAt) return duplicate
      if (data[nameAt + length] < slash) {
        this.#openFiles.push(fileAt, fileEnd)
        return 0
      }
    }
    return 0
  }
}
