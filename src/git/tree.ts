/**
 * Trees: entries `<mode in octal> <name>\0<20-byte id>` in byte order of the names, a directory's name counted as if it
 * ended in a slash.
 */
import { HoldfastError } from '../errors.ts'
import { idBytes, type ObjectId, objectIdAt } from './object-id.ts'

export const fileMode = 0o100644
const executableMode = 0o100755
export const symlinkMode = 0o120000
export const directoryMode = 0o040000
export const gitlinkMode = 0o160000
const kindMask = 0o170000

export interface TreeEntry {
  mode: number
  /** In latin1 where it came from a tree, so that names that are not UTF-8 round-trip. */
  name: string
  id: ObjectId
}

/** True for a subtree. */
export function isDirectory(mode: number): boolean {
  return (mode & kindMask) === directoryMode
}

/** True for a submodule: the id is a commit of another repository. */
export function isGitlink(mode: number): boolean {
  return (mode & kindMask) === gitlinkMode
}

/** True for a symbolic link, whose target is the blob. */
export function isSymlink(mode: number): boolean {
  return (mode & kindMask) === symlinkMode
}

/** True for a file that may be run. */
export function isExecutable(mode: number): boolean {
  return mode === executableMode
}

/** Steps over a tree's bytes without making anything: `while (cursor.next()) …`. Reusable by `reset`. */
export class TreeCursor {
  mode = 0
  /** Where in `data` the entry begins, its name begins and ends, and its id begins. */
  entryAt = 0
  nameAt = 0
  nameEnd = 0
  idAt = 0
  data: Uint8Array
  #next = 0

  constructor(data: Uint8Array) {
    this.data = data
  }

  reset(data: Uint8Array): void {
    this.data = data
    this.#next = 0
  }

  /** Where the entry after this one begins. */
  get end(): number {
    return this.#next
  }

  /** The next entry is the one that begins at `position`. */
  seek(position: number): void {
    this.#next = position
  }

  /** False at the end. Throws ObjectInvalid where the bytes are no entry. */
  next(): boolean {
    const { data } = this
    let position = this.#next
    if (position >= data.length) return false
    let mode = 0
    let byte = data[position++]
    for (let digits = 0; byte !== 0x20; digits++) {
      if (byte === undefined || byte < 0x30 || byte > 0x37 || digits > 10) throw malformed()
      mode = mode * 8 + byte - 0x30
      byte = data[position++]
    }
    if (position === this.#next + 1) throw malformed()
    this.entryAt = this.#next
    this.mode = mode
    this.nameAt = position
    // Names are short: a loop in JavaScript beats a call of indexOf.
    while (data[position] !== 0) {
      if (position >= data.length) throw malformed()
      position++
    }
    this.nameEnd = position
    this.idAt = position + 1
    this.#next = this.idAt + idBytes
    if (this.#next > data.length) throw malformed()
    return true
  }
}

/** All entries, names in latin1. Throws ObjectInvalid. */
export function parseTree(data: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = []
  const cursor = new TreeCursor(data)
  while (cursor.next()) {
    entries.push({
      mode: cursor.mode,
      name: data.toString('latin1', cursor.nameAt, cursor.nameEnd),
      id: objectIdAt(data, cursor.idAt),
    })
  }
  return entries
}

/** The bytes of a tree with these entries, in any order; names in latin1 as `parseTree` gives them. */
export function formatTree(entries: readonly TreeEntry[]): Buffer {
  const sortName = (entry: TreeEntry) => (isDirectory(entry.mode) ? `${entry.name}/` : entry.name)
  const sorted = entries.toSorted((a, b) => (sortName(a) < sortName(b) ? -1 : 1))
  return Buffer.concat(
    sorted.flatMap((entry) => [
      Buffer.from(`${entry.mode.toString(8)} ${entry.name}\0`, 'latin1'),
      Buffer.from(entry.id, 'hex'),
    ]),
  )
}

function malformed(): HoldfastError {
  return new HoldfastError('ObjectInvalid', { message: 'A tree is malformed.' })
}
