/**
 * The commits that a walk meets, each read once and kept as numbers: parents, root tree and committer date. Only the
 * headers that a walk needs are read; whole commits are parsed in `commit.ts`.
 */
import { HoldfastError } from '../../errors.ts'
import { idBytes, objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'

const none: readonly Ordinal[] = []
const treeLineBytes = 'tree '.length + 2 * idBytes + 1
const parentLineBytes = 'parent '.length + 2 * idBytes + 1
const zeroDigit = 0x30

export class CommitGraph {
  readonly objects: ObjectDatabase
  /** Slot + 1 by ordinal; 0 where the commit has not been read. */
  readonly #slots: Int32Array
  readonly #parents: (readonly Ordinal[])[] = []
  readonly #trees: Ordinal[] = []
  readonly #dates: number[] = []
  readonly #cuts = new Set<Ordinal>()

  constructor(objects: ObjectDatabase) {
    this.objects = objects
    this.#slots = new Int32Array(objects.ordinalCount)
  }

  /** From now on these commits have no parents, as in a shallow clone that ends in them. */
  cut(commits: Iterable<Ordinal>): void {
    for (const commit of commits) this.#cuts.add(commit)
  }

  isCut(commit: Ordinal): boolean {
    return this.#cuts.has(commit)
  }

  /** Parents as the client sees them: none where the history is cut. */
  parentsOf(commit: Ordinal): readonly Ordinal[] {
    return this.#cuts.size > 0 && this.#cuts.has(commit) ? none : this.#parents[this.#slotOf(commit)]
  }

  /** Parents as the commit names them. */
  trueParentsOf(commit: Ordinal): readonly Ordinal[] {
    return this.#parents[this.#slotOf(commit)]
  }

  treeOf(commit: Ordinal): Ordinal {
    return this.#trees[this.#slotOf(commit)]
  }

  /** Committer date in seconds since 1970; 0 where it cannot be read, as in git. */
  dateOf(commit: Ordinal): number {
    return this.#dates[this.#slotOf(commit)]
  }

  #slotOf(commit: Ordinal): number {
    const slot = this.#slots[commit] - 1
    return slot >= 0 ? slot : this.#load(commit)
  }

  #load(commit: Ordinal): number {
    const { type, data } = this.objects.read(commit)
    if (type !== 'commit' || !isLine(data, 0, 'tree ')) {
      throw new HoldfastError('ObjectInvalid', { message: `${this.objects.idOf(commit)} is not a commit.` })
    }
    this.#trees.push(locateHex(this.objects, data, 'tree '.length))
    let position = treeLineBytes
    const parents: Ordinal[] = []
    for (; isLine(data, position, 'parent '); position += parentLineBytes) {
      parents.push(locateHex(this.objects, data, position + 'parent '.length))
    }
    this.#dates.push(readCommitterDate(data, position))
    this.#slots[commit] = this.#parents.push(parents)
    return this.#parents.length - 1
  }
}

/** What a tag names, by the 40 hex digits in its first line. Throws ObjectMissing, ObjectInvalid. */
export function tagTarget(objects: ObjectDatabase, data: Buffer): Ordinal {
  if (!isLine(data, 0, 'object ')) throw new HoldfastError('ObjectInvalid', { message: 'A tag names no object.' })
  return locateHex(objects, data, 'object '.length)
}

/** Follows tags to what they finally name, telling every tag on the way. Throws ObjectMissing, ObjectInvalid. */
export function peel(objects: ObjectDatabase, ordinal: Ordinal, onTag?: (tag: Ordinal) => void): Ordinal {
  let target = ordinal
  while (objects.stat(target).type === 'tag') {
    onTag?.(target)
    target = tagTarget(objects, objects.read(target).data)
  }
  return target
}

function isLine(data: Buffer, position: number, keyword: string): boolean {
  const end = position + keyword.length
  return data[end + 2 * idBytes] === 0x0a && data.toString('latin1', position, end) === keyword
}

const scratch = Buffer.alloc(idBytes)
const digitValues = new Uint8Array(256)
for (let value = 0; value < 16; value++) digitValues[value.toString(16).charCodeAt(0)] = value

function locateHex(objects: ObjectDatabase, data: Buffer, position: number): Ordinal {
  for (let i = 0; i < idBytes; i++) {
    scratch[i] = (digitValues[data[position + 2 * i]] << 4) | digitValues[data[position + 2 * i + 1]]
  }
  const ordinal = objects.locate(scratch)
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${objectIdAt(scratch)} is missing.` })
  return ordinal
}

function readCommitterDate(data: Buffer, position: number): number {
  const line = data.indexOf('\ncommitter ', position)
  if (line < 0) return 0
  const lineEnd = data.indexOf(0x0a, line + 1)
  let at = data.lastIndexOf(0x3e, lineEnd < 0 ? data.length : lineEnd) + 2
  let date = 0
  for (let digit = data[at] - zeroDigit; digit >= 0 && digit <= 9; digit = data[++at] - zeroDigit) {
    date = date * 10 + digit
  }
  return date
}
