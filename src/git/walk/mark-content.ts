/** Marks all that a tree leads to. */
import type { FairLoop } from '../fair-loop.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'

export interface MarkContentOptions {
  marked: Uint8Array
  hasBlobs: boolean
  pause: FairLoop
}

/** Trees that are marked already are opened all the same, once each. Throws ObjectMissing, ObjectInvalid. */
export async function markContent(
  objects: ObjectDatabase,
  root: Ordinal,
  { marked, hasBlobs, pause }: MarkContentOptions,
): Promise<void> {
  const seen = new Set([root])
  // A set is walked in the order in which it grows.
  for (const tree of seen) {
    marked[tree] = 1
    const cursor = new TreeCursor(objects.read(tree).data)
    while (cursor.next()) {
      const isTree = isDirectory(cursor.mode)
      if (isGitlink(cursor.mode) || !(isTree || hasBlobs)) continue
      const ordinal = objects.locate(cursor.data, cursor.idAt)
      if (ordinal < 0) continue
      if (isTree) seen.add(ordinal)
      else marked[ordinal] = 1
    }
    if (pause.due(8)) await pause.now()
  }
}
