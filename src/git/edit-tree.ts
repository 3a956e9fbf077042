/** One tree with some of its entries put, replaced or taken away: the others keep their bytes and their order. */
import { idBytes, type ObjectId, objectIdBytes } from './object-id.ts'
import { isDirectory, TreeCursor, type TreeEntry } from './tree.ts'

/** What stands behind a name in a tree. */
export type NamedEntry = Pick<TreeEntry, 'mode' | 'id'>

const noTree = Buffer.alloc(0)

/**
 * The bytes of `base` (undefined: an empty tree) after `edits`, by name in latin1; undefined takes an entry away. An entry
 * may become a folder, or a file, and then stands elsewhere.
 */
export function editTree(base: Buffer | undefined, edits: ReadonlyMap<string, NamedEntry | undefined>): Buffer {
  const data = base ?? noTree
  const added = sortedEntries(edits)
  const pieces: Buffer[] = []
  let next = 0
  // From here on entries of the base are kept as they lie.
  let keptFrom = 0
  const cursor = new TreeCursor(data)
  for (let entryAt = 0; cursor.next(); entryAt = cursor.end) {
    const name = data.toString('latin1', cursor.nameAt, cursor.nameEnd)
    const key = isDirectory(cursor.mode) ? `${name}/` : name
    const isEdited = edits.has(name)
    const isBehindNew = next < added.length && added[next].key < key
    if (!isEdited && !isBehindNew) continue
    pieces.push(data.subarray(keptFrom, entryAt))
    keptFrom = isEdited ? cursor.end : entryAt
    while (next < added.length && added[next].key < key) pieces.push(added[next++].bytes)
  }
  pieces.push(data.subarray(keptFrom), ...added.slice(next).map(({ bytes }) => bytes))
  return Buffer.concat(pieces)
}

/** The entries of a tree that have one of these names, in latin1. */
export function findEntries(data: Buffer, names: { has(name: string): boolean }): Map<string, NamedEntry> {
  const found = new Map<string, NamedEntry>()
  const cursor = new TreeCursor(data)
  while (cursor.next()) {
    const name = data.toString('latin1', cursor.nameAt, cursor.nameEnd)
    if (!names.has(name)) continue
    found.set(name, { mode: cursor.mode, id: data.toString('hex', cursor.idAt, cursor.idAt + idBytes) as ObjectId })
  }
  return found
}

/** In git's order, in which a directory's name ends in a slash. In latin1 texts compare as bytes do. */
function sortedEntries(edits: ReadonlyMap<string, NamedEntry | undefined>): { key: string; bytes: Buffer }[] {
  const added: { key: string; bytes: Buffer }[] = []
  for (const [name, entry] of edits) {
    if (entry === undefined) continue
    const head = Buffer.from(`${entry.mode.toString(8)} ${name}\0`, 'latin1')
    const key = isDirectory(entry.mode) ? `${name}/` : name
    added.push({ key, bytes: Buffer.concat([head, objectIdBytes(entry.id)]) })
  }
  return added.sort((a, b) => (a.key < b.key ? -1 : 1))
}
