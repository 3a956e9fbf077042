/** What a tree holds at some paths, and what the rules in its folders say of them: each folder is read once. */
import { findEntries, type NamedEntry } from '../edit-tree.ts'
import type { FairLoop } from '../fair-loop.ts'
import { nullId, type ObjectId } from '../object-id.ts'
import { type PathEdit, PathEdits, readTree } from '../path-edits.ts'
import { locateId, type ObjectDatabase } from '../repository.ts'
import { isDirectory, isGitlink, isSymlink } from '../tree.ts'
import { SparsePatterns } from '../walk/sparse-patterns.ts'
import { Attributes, type FilterState, findFilter } from './attributes.ts'
import type { FolderRules } from './folder-rules.ts'
import { isIgnored } from './ignore.ts'

export interface RuledPath {
  filter: FilterState | undefined
  isIgnored: boolean
  /** The file that is there now. */
  entry: NamedEntry | undefined
}

export interface RuleOptions {
  /** Texts (latin1) that stand for those of the root folder, of the same size at most. */
  rootAttributes: string | undefined
  rootIgnore: string | undefined
  /** Larger files of rules count as absent. */
  rulesMaxBytes: number
  pause: FairLoop
}

/** By path, joined by slashes; `paths` are split, in latin1. `rootId` undefined: an empty tree. */
export async function readPathRules(
  objects: ObjectDatabase,
  rootId: ObjectId | undefined,
  paths: Iterable<readonly string[]>,
  options: RuleOptions,
): Promise<Map<string, RuledPath>> {
  const wanted = new PathEdits()
  for (const path of paths) wanted.put(path, nullId)
  const reading: Reading = { objects, options, found: new Map() }
  const outermost = { attributes: [], ignore: [], isIgnored: false }
  await readFolder(reading, { edit: wanted.root, treeId: rootId, folder: '', around: outermost })
  return reading.found
}

interface Reading {
  objects: ObjectDatabase
  options: RuleOptions
  found: Map<string, RuledPath>
}

interface Surroundings {
  attributes: readonly FolderRules<Attributes>[]
  ignore: readonly FolderRules<SparsePatterns>[]
  /** Nothing in an ignored folder can be meant to be committed. */
  isIgnored: boolean
}

interface Folder {
  edit: PathEdit
  treeId: ObjectId | undefined
  /** Its path, with a slash behind it. */
  folder: string
  around: Surroundings
}

const attributesName = '.gitattributes'
const ignoreName = '.gitignore'

async function readFolder(reading: Reading, { edit, treeId, folder, around }: Folder): Promise<void> {
  const { children } = edit
  const names = { has: (name: string) => children.has(name) || name === attributesName || name === ignoreName }
  const entries = treeId === undefined ? new Map() : findEntries(readTree(reading.objects, treeId), names)
  const inside = addRules(reading, { folder, around, entries })
  const { pause } = reading.options
  for (const [name, child] of children) {
    const path = folder + name
    const entry: NamedEntry | undefined = entries.get(name)
    if (pause.due(64)) await pause.now()
    if (child.blobId !== undefined) reading.found.set(path, judge(inside, path, entry))
    if (child.children.size === 0) continue
    const isFolderIgnored = inside.isIgnored || isIgnored(inside.ignore, path, { isFolder: true })
    await readFolder(reading, {
      edit: child,
      treeId: entry !== undefined && isDirectory(entry.mode) ? entry.id : undefined,
      folder: `${path}/`,
      around: { ...inside, isIgnored: isFolderIgnored },
    })
  }
}

function judge(around: Surroundings, path: string, entry: NamedEntry | undefined): RuledPath {
  return {
    filter: findFilter(around.attributes, path),
    isIgnored: around.isIgnored || isIgnored(around.ignore, path, { isFolder: false }),
    entry: entry === undefined || isDirectory(entry.mode) || isGitlink(entry.mode) ? undefined : entry,
  }
}

function addRules(
  { objects, options }: Reading,
  { folder, around, entries }: Pick<Folder, 'folder' | 'around'> & { entries: ReadonlyMap<string, NamedEntry> },
): Surroundings {
  const isRoot = folder === ''
  const text = (name: string, given: string | undefined) => {
    if (!isRoot || given === undefined) return readText(objects, entries.get(name), options.rulesMaxBytes)
    return given.length > options.rulesMaxBytes ? undefined : given
  }
  const attributes = text(attributesName, options.rootAttributes)
  const ignore = text(ignoreName, options.rootIgnore)
  const { isIgnored } = around
  return {
    attributes:
      attributes === undefined
        ? around.attributes
        : [...around.attributes, { folder, rules: new Attributes(attributes) }],
    ignore: ignore === undefined ? around.ignore : [...around.ignore, { folder, rules: new SparsePatterns(ignore) }],
    isIgnored,
  }
}

/** Latin1. git reads no rules through a symbolic link either. */
function readText(objects: ObjectDatabase, entry: NamedEntry | undefined, maxBytes: number): string | undefined {
  if (entry === undefined || isDirectory(entry.mode) || isGitlink(entry.mode) || isSymlink(entry.mode)) return undefined
  const blob = locateId(objects, entry.id)
  if (blob < 0 || objects.stat(blob).sizeBytes > maxBytes) return undefined
  return objects.read(blob).data.toString('latin1')
}
