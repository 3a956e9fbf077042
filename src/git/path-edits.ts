/**
 * Changes of files by their paths, in the order in which somebody asks for them, and what they make of a tree. Only the
 * folders that are touched are read and written. Paths are split at slashes, in latin1 as git's bytes are; whether they may
 * stand in a repository has been decided.
 */
import { HoldfastError } from '../errors.ts'
import { editTree, findEntries, type NamedEntry } from './edit-tree.ts'
import type { FairLoop } from './fair-loop.ts'
import { hashObject } from './hash-object.ts'
import { type ObjectId, objectIdBytes } from './object-id.ts'
import { locateId, type ObjectDatabase } from './repository.ts'
import { directoryMode, fileMode, isDirectory, isExecutable } from './tree.ts'

/** What is asked for at one path and below it. */
export interface PathEdit {
  /** Below the path, by name; empty for nearly all. */
  readonly children: ReadonlyMap<string, PathEdit>
  /** The file that shall stand here. */
  readonly blobId: ObjectId | undefined
  /** What stood here goes first, whether file or folder. */
  readonly isCleared: boolean
  /** Something must have stood here. */
  readonly mustExist: boolean
}

interface Node extends PathEdit {
  children: Map<string, Node>
  blobId: ObjectId | undefined
  isCleared: boolean
  mustExist: boolean
}

const noChildren = new Map<string, Node>()
const newNode = (): Node => ({ children: noChildren, blobId: undefined, isCleared: false, mustExist: false })

/** Gathers changes; a later one of the same path wins. */
export class PathEdits {
  readonly #root = newNode()

  get root(): PathEdit {
    return this.#root
  }

  /**
   * Puts a file: a new one, or in place of the one that is there. Its blob may be exchanged in what is returned, until a
   * later change of the path does so.
   */
  put(path: readonly string[], blobId: ObjectId): { blobId: ObjectId | undefined } {
    const { node } = this.#open(path)
    node.blobId = blobId
    return node
  }

  /** Takes a file or a whole folder away, with what was put there before. */
  remove(path: readonly string[]): void {
    const { node, isBelowCleared } = this.#open(path)
    const isKnownToExist = node.blobId !== undefined || node.children.size > 0 || isBelowCleared
    if (!node.isCleared) node.mustExist = !isKnownToExist
    node.isCleared = true
    node.blobId = undefined
    node.children = noChildren
  }

  #open(path: readonly string[]): { node: Node; isBelowCleared: boolean } {
    let node = this.#root
    let isBelowCleared = false
    for (const name of path) {
      isBelowCleared ||= node.isCleared
      // Most nodes are files, and need no map of their own.
      if (node.children === noChildren) node.children = new Map()
      const child = node.children.get(name) ?? newNode()
      node.children.set(name, child)
      node = child
    }
    return { node, isBelowCleared }
  }
}

export interface EditOptions {
  pause: FairLoop
  /** What was taken away meanwhile by somebody else, and need not be there. */
  gone?: ReadonlySet<PathEdit>
}

/** A tree and those of its trees that the repository lacks. */
export interface EditedTree {
  treeId: ObjectId
  newTrees: ReadonlyMap<ObjectId, Buffer>
}

/**
 * The tree `rootId` (undefined: an empty one) after `edits`. Throws EntryNotFound where something to be taken away is not
 * there (details.path), PathInvalid where a file and a folder would stand at one path.
 */
export async function applyEdits(
  objects: ObjectDatabase,
  rootId: ObjectId | undefined,
  edits: PathEdits,
  options: EditOptions,
): Promise<EditedTree> {
  const application = new Application(objects, options)
  const treeId = await application.editFolder(edits.root, rootId, '')
  return { treeId: treeId ?? application.keep(Buffer.alloc(0)), newTrees: application.newTrees }
}

class Application {
  readonly newTrees = new Map<ObjectId, Buffer>()
  readonly #objects: ObjectDatabase
  readonly #pause: FairLoop
  readonly #gone: ReadonlySet<PathEdit>

  constructor(objects: ObjectDatabase, { pause, gone }: EditOptions) {
    this.#objects = objects
    this.#pause = pause
    this.#gone = gone ?? new Set()
  }

  /** The id of the folder after the edits below it; undefined where nothing is left in it. `before`: its path, with a slash. */
  async editFolder(edit: PathEdit, treeId: ObjectId | undefined, before: string): Promise<ObjectId | undefined> {
    const base = treeId === undefined ? undefined : readTree(this.#objects, treeId)
    const existing = base === undefined ? undefined : findEntries(base, edit.children)
    const entries = new Map<string, NamedEntry | undefined>()
    for (const [name, child] of edit.children) {
      const path = before + name
      if (this.#pause.due()) await this.#pause.now()
      const stood = existing?.get(name)
      const found = this.#clear(child, stood, path)
      let folderId = found !== undefined && isDirectory(found.mode) ? found.id : undefined
      // Nearly all have nothing below them: no promise for each file.
      if (child.children.size > 0) folderId = await this.editFolder(child, folderId, `${path}/`)
      entries.set(name, entryAt(child, { stood, found, folderId, path }))
    }
    const data = editTree(base, entries)
    return data.length === 0 ? undefined : this.keep(data)
  }

  keep(data: Buffer): ObjectId {
    const treeId = hashObject({ type: 'tree', data })
    if (locateId(this.#objects, treeId) < 0) this.newTrees.set(treeId, data)
    return treeId
  }

  #clear(edit: PathEdit, stood: NamedEntry | undefined, path: string): NamedEntry | undefined {
    if (!edit.isCleared) return stood
    if (edit.mustExist && stood === undefined && !this.#gone.has(edit)) throw notThere(path)
    return undefined
  }
}

interface Place {
  /** What is there in the base, and what of it is still there once the edit has cleared the path. */
  stood: NamedEntry | undefined
  found: NamedEntry | undefined
  /** The folder that is there then, after the edits below. */
  folderId: ObjectId | undefined
  path: string
}

function entryAt({ blobId }: PathEdit, { stood, found, folderId, path }: Place): NamedEntry | undefined {
  const kept = found === undefined || isDirectory(found.mode) ? undefined : found
  // What could be executed stays so.
  const mode = stood !== undefined && isExecutable(stood.mode) ? stood.mode : fileMode
  const file = blobId === undefined ? kept : { mode, id: blobId }
  if (folderId === undefined) return file
  if (file === undefined) return { mode: directoryMode, id: folderId }
  throw new HoldfastError('PathInvalid', {
    message: `${quotePath(path)} would be a file and a folder. Delete the one in the same commit.`,
  })
}

/** The bytes of a tree. Throws ObjectMissing. */
export function readTree(objects: ObjectDatabase, treeId: ObjectId): Buffer {
  const ordinal = objects.locate(objectIdBytes(treeId))
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `Object ${treeId} is missing.` })
  return objects.read(ordinal).data
}

function notThere(path: string): HoldfastError {
  return new HoldfastError('EntryNotFound', {
    message: `A file with this name doesn't exist: ${quotePath(path)}`,
    details: { path },
  })
}

/** A path in latin1 for people to read. */
function quotePath(path: string): string {
  const text = Buffer.from(path, 'latin1').toString()
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}
