/** Comparing the entries on which two cursors stand, where they lie: what a merge-join of trees needs. */
import { idBytes } from '../object-id.ts'
import { isDirectory, type TreeCursor } from '../tree.ts'

const slash = 0x2f
const strideBytes = 512

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

/**
 * How many bytes are the same from `a[aAt]` and `b[bAt]` on. Trees that are compared differ in few entries: what they
 * share is passed over in long strides.
 */
export function sharedBytes(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  const length = Math.min(a.length - aAt, b.length - bAt)
  let same = 0
  // A native call costs as much as some fifty steps here.
  const near = Math.min(length, strideBytes / 8)
  while (same < near && a[aAt + same] === b[bAt + same]) same++
  if (same < near) return same
  for (let stride = Math.min(strideBytes, length - same); stride > 0; stride = Math.min(strideBytes, length - same)) {
    if (a.compare(b, bAt + same, bAt + same + stride, aAt + same, aAt + same + stride) !== 0) break
    same += stride
  }
  while (same < length && a[aAt + same] === b[bAt + same]) same++
  return same
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
