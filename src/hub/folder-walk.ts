/** What lies in a folder, in Git's order, an entry at a time: begun at the start, or behind an entry seen before. */
import { HoldfastError } from '../errors.ts'
import { objectIdAt } from '../git/object-id.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../git/tree.ts'
import { type CommitEntry, locateObject } from './commit-files.ts'

interface OpenFolder {
  /** What stands before its names in paths. */
  before: string
  data: Buffer
  cursor: TreeCursor
}

export class FolderWalk {
  readonly #objects: ObjectDatabase
  readonly #isRecursive: boolean
  /** Not by recursion: folders may lie very deep. */
  readonly #open: OpenFolder[] = []
  /** The entry that was given last, where it is a folder to go into. */
  #inside: CommitEntry | undefined

  /**
   * `after` is the `place` of an earlier walk: nothing before it is read but the trees on its path. Throws InputInvalid
   * where the folder does not have it.
   */
  constructor(
    objects: ObjectDatabase,
    folder: CommitEntry,
    { isRecursive, after }: { isRecursive: boolean; after?: Buffer },
  ) {
    this.#objects = objects
    this.#isRecursive = isRecursive
    this.#openFolder(folder)
    if (after !== undefined) this.#goBehind(after)
  }

  /** The next entry; submodules are left out, as what they hold lies elsewhere. */
  next(): CommitEntry | undefined {
    if (this.#inside !== undefined) this.#openFolder(this.#inside)
    this.#inside = undefined
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (!last.cursor.next()) {
        this.#open.pop()
        continue
      }
      if (isGitlink(last.cursor.mode)) continue
      const entry = entryOf(last)
      if (this.#isRecursive && entry.kind === 'directory') this.#inside = entry
      return entry
    }
    return undefined
  }

  /** The path, within the folder, of the entry that was given last: in its bytes, as not every name is UTF-8. */
  get place(): Buffer {
    const names = this.#open.map(({ data, cursor }) => data.toString('latin1', cursor.nameAt, cursor.nameEnd))
    return Buffer.from(names.join('/'), 'latin1')
  }

  #goBehind(place: Buffer): void {
    for (const name of place.toString('latin1').split('/')) {
      if (this.#inside !== undefined) this.#openFolder(this.#inside)
      const last = this.#open.at(-1)!
      if (!seek(last, Buffer.from(name, 'latin1'))) throw unknownPlace()
      const entry = entryOf(last)
      this.#inside = this.#isRecursive && entry.kind === 'directory' ? entry : undefined
      if (isGitlink(last.cursor.mode)) throw unknownPlace()
    }
    if (this.#open.length !== place.toString('latin1').split('/').length) throw unknownPlace()
  }

  #openFolder({ path, id }: CommitEntry): void {
    const { data } = this.#objects.read(locateObject(this.#objects, id))
    this.#open.push({ before: path === '' ? '' : `${path}/`, data, cursor: new TreeCursor(data) })
  }
}

function entryOf({ before, data, cursor }: OpenFolder): CommitEntry {
  return {
    kind: isDirectory(cursor.mode) ? 'directory' : 'file',
    path: before + data.toString('utf8', cursor.nameAt, cursor.nameEnd),
    id: objectIdAt(data, cursor.idAt),
  }
}

/** Puts the cursor on the entry of that name; false where there is none. */
function seek({ data, cursor }: OpenFolder, name: Buffer): boolean {
  while (cursor.next()) {
    const { nameAt, nameEnd } = cursor
    if (nameEnd - nameAt === name.length && data.compare(name, 0, name.length, nameAt, nameEnd) === 0) return true
  }
  return false
}

function unknownPlace(): HoldfastError {
  return new HoldfastError('InputInvalid', { message: 'This is not the address of a next page.' })
}
