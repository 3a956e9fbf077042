/**
 * The last commit that changed each of some paths, as `git log -1 -- <path>` finds it: a path goes on to the first parent
 * that has the same there, and where none has, this commit changed it. All paths are followed in one walk.
 */
import type { FairLoop } from '../fair-loop.ts'
import { idBytes } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, TreeCursor } from '../tree.ts'
import { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

export interface ChangesQuestion {
  commit: Ordinal
  /** In the bytes of their names, without slashes at either end. */
  paths: readonly Buffer[]
  /** So many commits are looked at, at most. */
  commitsMax: number
}

/** By the index of each path: the commit that changed it last; undefined where it does not exist or lies too far back. */
export async function findLastChanges(
  objects: ObjectDatabase,
  { commit, paths, commitsMax }: ChangesQuestion,
  pause: FairLoop,
): Promise<Map<number, Ordinal>> {
  const graph = new CommitGraph(objects)
  const queue = new DateQueue()
  const pending = new Map<Ordinal, Place>()
  const found = new Map<number, Ordinal>()
  const give = (to: Ordinal, place: Place | undefined) => {
    if (place === undefined) return
    const waiting = pending.get(to)
    if (waiting === undefined) queue.push(to, graph.rankOf(to))
    pending.set(to, waiting === undefined ? place : join(waiting, place))
  }
  give(commit, findPlaces(objects, graph.treeOf(commit), paths))
  for (let looked = 0; queue.length > 0 && looked < commitsMax; looked++) {
    if (pause.due(8)) await pause.now()
    const current = queue.pop()
    let rest = pending.get(current)
    pending.delete(current)
    for (let index = 0; rest !== undefined && index < graph.parentCountOf(current); index++) {
      const parent = graph.parentOf(current, index)
      const isSame = graph.treeOf(parent) === graph.treeOf(current)
      const [same, changed]: Split = isSame ? [rest, undefined] : split(objects, graph.treeOf(parent), rest)
      give(parent, same)
      rest = changed
    }
    if (rest !== undefined) for (const index of pathsIn(rest)) found.set(index, current)
  }
  return found
}

/** A path that is sought, or a folder above such paths, or both. */
interface Place {
  /** Index of the path; undefined for a folder that is none. */
  path: number | undefined
  /** What stands there as long as the path is sought. */
  mode: number
  id: Buffer
  /** In no order: few are sought, and trees may be large. */
  children: Map<string, Place>
}

/** What is the same in another tree, and what is not. */
type Split = [same: Place | undefined, changed: Place | undefined]

const nowhere = Buffer.alloc(idBytes)

function folder(children: Map<string, Place> = new Map()): Place {
  return { path: undefined, mode: 0, id: nowhere, children }
}

/** The paths as they stand in `tree`; those that it does not have are left out. */
function findPlaces(objects: ObjectDatabase, tree: Ordinal, paths: readonly Buffer[]): Place | undefined {
  const root = folder()
  for (const [index, path] of paths.entries()) {
    let place = root
    for (const name of path.toString('latin1').split('/')) {
      const child = place.children.get(name) ?? folder()
      place.children.set(name, child)
      place = child
    }
    place.path = index
  }
  return fill(objects, tree, root)
}

function fill(objects: ObjectDatabase, tree: Ordinal, place: Place): Place | undefined {
  const present = new Map<string, Place>()
  visitChildren(objects, tree, place, (name, child, cursor) => {
    const { mode } = cursor
    const below =
      child.children.size > 0 && isDirectory(mode) ? fill(objects, locate(objects, cursor), child) : undefined
    if (child.path === undefined && below === undefined) return
    present.set(name, { path: child.path, mode, id: Buffer.from(idAt(cursor)), children: below?.children ?? new Map() })
  })
  return present.size === 0 ? undefined : folder(present)
}

/** Splits what is sought below a folder by whether `tree`, the folder in another commit, has the same. */
function split(objects: ObjectDatabase, tree: Ordinal, place: Place): Split {
  const same = new Map<string, Place>()
  const changed = new Map(place.children)
  visitChildren(objects, tree, place, (name, child, cursor) => {
    const isSame = cursor.mode === child.mode && child.id.equals(idAt(cursor))
    if (isSame) {
      same.set(name, child)
      changed.delete(name)
      return
    }
    if (child.children.size === 0 || !isDirectory(cursor.mode)) return
    const [sameBelow, changedBelow] = split(objects, locate(objects, cursor), child)
    // With the id that it has there: an ancestor with the same folder need not be looked into.
    if (sameBelow !== undefined) same.set(name, { ...sameBelow, mode: cursor.mode, id: Buffer.from(idAt(cursor)) })
    if (child.path !== undefined) changed.set(name, { ...child, children: changedBelow?.children ?? new Map() })
    else if (changedBelow === undefined) changed.delete(name)
    else changed.set(name, changedBelow)
  })
  return [same.size === 0 ? undefined : folder(same), changed.size === 0 ? undefined : folder(changed)]
}

/** Both hold paths of one tree that several children of a commit have passed on. */
function join(a: Place, b: Place): Place {
  const children = new Map(a.children)
  for (const [name, child] of b.children) {
    const other = children.get(name)
    children.set(name, other === undefined ? child : join(other, child))
  }
  const sought = a.path === undefined ? b : a
  return { path: sought.path, mode: sought.mode, id: sought.id, children }
}

function* pathsIn(place: Place): Generator<number> {
  if (place.path !== undefined) yield place.path
  for (const child of place.children.values()) yield* pathsIn(child)
}

/** Those children of `place` that `tree` has an entry of the name of. */
function visitChildren(
  objects: ObjectDatabase,
  tree: Ordinal,
  place: Place,
  visit: (name: string, child: Place, cursor: TreeCursor) => void,
): void {
  const { data } = objects.read(tree)
  const cursor = new TreeCursor(data)
  let left = place.children.size
  while (left > 0 && cursor.next()) {
    const name = data.toString('latin1', cursor.nameAt, cursor.nameEnd)
    const child = place.children.get(name)
    if (child === undefined) continue
    left--
    visit(name, child, cursor)
  }
}

function idAt({ data, idAt }: TreeCursor): Uint8Array {
  return data.subarray(idAt, idAt + idBytes)
}

function locate(objects: ObjectDatabase, cursor: TreeCursor): Ordinal {
  return objects.locate(cursor.data, cursor.idAt)
}
