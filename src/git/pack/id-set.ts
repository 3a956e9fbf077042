/**
 * A set of object ids with a byte of marks for each, in flat memory: about 30 bytes an id, where a Set of strings takes
 * 150. Members are numbered in the order in which they were added.
 */
import { randomBytes } from 'node:crypto'
import { idBytes } from '../object-id.ts'

// Ids in trees are chosen by whoever pushes. Without a secret they could all be made to fall into one slot.
const seed = randomBytes(4).readUInt32LE()

export class IdSet {
  size = 0
  /** Member `n`'s id is at `ids[20 * n]`. Replaced when the set grows. */
  ids = Buffer.allocUnsafe(64 * idBytes)
  marks = new Uint8Array(64)
  /** Member number plus one; 0 is free. At most half full. */
  #slots = new Uint32Array(128)

  /** The member's number, whether or not it is new. */
  add(bytes: Uint8Array, at: number): number {
    const slot = this.#slotOf(bytes, at)
    const member = this.#slots[slot] - 1
    if (member >= 0) return member
    if (this.size === this.marks.length) {
      this.#grow()
      return this.add(bytes, at)
    }
    const added = this.size++
    for (let index = 0; index < idBytes; index++) this.ids[added * idBytes + index] = bytes[at + index]
    this.marks[added] = 0
    this.#slots[slot] = added + 1
    return added
  }

  /** The number of the id at `bytes[at]`, or -1. */
  find(bytes: Uint8Array, at: number): number {
    return this.#slots[this.#slotOf(bytes, at)] - 1
  }

  #slotOf(bytes: Uint8Array, at: number): number {
    const slots = this.#slots
    const ids = this.ids
    const mask = slots.length - 1
    let slot = hashOf(bytes, at) & mask
    for (;;) {
      const member = slots[slot] - 1
      if (member < 0) return slot
      const idAt = member * idBytes
      let index = 0
      while (index < idBytes && ids[idAt + index] === bytes[at + index]) index++
      if (index === idBytes) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const ids = Buffer.allocUnsafe(this.ids.length * 2)
    this.ids.copy(ids)
    this.ids = ids
    const marks = new Uint8Array(this.marks.length * 2)
    marks.set(this.marks)
    this.marks = marks
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let member = 0; member < this.size; member++) {
      let slot = hashOf(ids, member * idBytes) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = member + 1
    }
    this.#slots = slots
  }
}

function hashOf(bytes: Uint8Array, at: number): number {
  let mixed = seed
  for (let index = at; index < at + idBytes; index += 4) {
    const word = bytes[index] | (bytes[index + 1] << 8) | (bytes[index + 2] << 16) | (bytes[index + 3] << 24)
    mixed = Math.imul(mixed ^ word, 0x9e3779b1)
    mixed ^= mixed >>> 15
  }
  return mixed
}
