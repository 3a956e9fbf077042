/**
 * Whether changes that were meant for one tree may be laid over a later one: they may where nobody has changed their paths
 * meanwhile, or has made of them the same.
 */
import { findEntries, type NamedEntry } from './edit-tree.ts'
import type { FairLoop } from './fair-loop.ts'
import type { ObjectId } from './object-id.ts'
import { type PathEdit, type PathEdits, readTree } from './path-edits.ts'
import type { ObjectDatabase } from './repository.ts'
import { directoryMode, isDirectory } from './tree.ts'

export interface EditClash {
  /** A path, in latin1, of which somebody else has made something else; undefined where there is none. */
  path: string | undefined
  /** What the edits take away and somebody else has taken away already. */
  gone: ReadonlySet<PathEdit>
}

/** Compares `edits` with what has changed from the tree `fromId` to `toId` (undefined: no tree). */
export async function findClash(
  objects: ObjectDatabase,
  edits: PathEdits,
  { fromId, toId, pause }: { fromId: ObjectId | undefined; toId: ObjectId | undefined; pause: FairLoop },
): Promise<EditClash> {
  const gone = new Set<PathEdit>()
  const open: Changed[] = [{ edit: edits.root, from: folder(fromId), to: folder(toId), path: '' }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { edit, from, to, path } = next
    if (pause.due()) await pause.now()
    if (isSame(from, to)) continue
    if (to === undefined && from !== undefined && edit.mustExist) gone.add(edit)
    const isWhole = edit.isCleared || edit.blobId !== undefined
    if (isWhole && !isAsAsked(edit, to)) return { path, gone }
    if (isWhole) continue
    if (!isFolderOrNothing(from) || !isFolderOrNothing(to)) return { path, gone }
    openBelow(objects, next, open)
  }
  return { path: undefined, gone }
}

interface Changed {
  edit: PathEdit
  from: NamedEntry | undefined
  to: NamedEntry | undefined
  path: string
}

function openBelow(objects: ObjectDatabase, { edit, from, to, path }: Changed, open: Changed[]): void {
  const before = from && findEntries(readTree(objects, from.id), edit.children)
  const after = to && findEntries(readTree(objects, to.id), edit.children)
  const prefix = path === '' ? '' : `${path}/`
  for (const [name, child] of edit.children) {
    open.push({ edit: child, from: before?.get(name), to: after?.get(name), path: prefix + name })
  }
}

/** What stands there now is what the edit makes of the path. */
function isAsAsked({ blobId, children }: PathEdit, to: NamedEntry | undefined): boolean {
  if (children.size > 0) return false
  return blobId === undefined ? to === undefined : to !== undefined && !isDirectory(to.mode) && to.id === blobId
}

function isSame(a: NamedEntry | undefined, b: NamedEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode
}

function isFolderOrNothing(entry: NamedEntry | undefined): boolean {
  return entry === undefined || isDirectory(entry.mode)
}

function folder(id: ObjectId | undefined): NamedEntry | undefined {
  return id === undefined ? undefined : { mode: directoryMode, id }
}
