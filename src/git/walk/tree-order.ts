/** Comparing the entries on which two cursors stand, where they lie: what a merge-join of trees needs. */
import { idBytes } from '../object-id.ts'
import { isDirectory, type TreeCursor } from '../tree.ts'

const slash = 0x2f

/** By git's order, in which a directory's name ends in a slash; 0 only for the same name and the same kind. */
export function compareEntries(a: TreeCursor, b: TreeCursor): number {
  const aLength = a.nameEnd - a.nameAt
  const bLength = b.nameEnd - b.nameAt
  const length = Math.min(aLength, bLength)
  for (let i = 0; i < length; i++) {
    const difference = a.data[a.nameAt + i] - b.data[b.nameAt + i]
    if (difference !== 0) return difference
  }
  return byteAfter(a, length) - byteAfter(b, length) || aLength - bLength
}

/** True where both entries name the same object. */
export function haveSameId(a: TreeCursor, b: TreeCursor): boolean {
  for (let i = 0; i < idBytes; i++) {
    if (a.data[a.idAt + i] !== b.data[b.idAt + i]) return false
  }
  return true
}

function byteAfter(cursor: TreeCursor, length: number): number {
  if (cursor.nameAt + length < cursor.nameEnd) return cursor.data[cursor.nameAt + length]
  return isDirectory(cursor.mode) ? slash : 0
}
