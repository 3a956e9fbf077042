/** What must go into a pack so that a client which has the haves gets the wants. */
import { fairLoop } from '../fair-loop.ts'
import { locateId, type ObjectDatabase, type Ordinal, type Ref } from '../repository.ts'
import { CommitGraph, peel } from './commit-graph.ts'
import { findNewCommits, type NewCommits } from './new-commits.ts'
import { TreeWalk } from './tree-walk.ts'

export interface SelectOptions {
  /** Objects of any type. */
  wants: readonly Ordinal[]
  /** Objects that the client has whole, with everything they lead to as far as the graph is not cut. */
  haves: readonly Ordinal[]
  /** Of these, annotated tags are added whose target is sent (include-tag). */
  tags?: readonly Ref[]
  /** Commits read before, and where the client's history is cut. */
  graph?: CommitGraph
  /** Told the number of commits done, now and then. */
  onProgress?: (commitCount: number) => void
  signal?: AbortSignal
}

export interface ObjectSelection {
  /** The objects to send, ascending. */
  ordinals: Uint32Array
  /** True for objects that the client certainly has: bases for a thin pack. */
  isClientKnown(ordinal: Ordinal): boolean
}

/** Walks commits, then the trees that differ. Throws ObjectMissing and ObjectInvalid on a damaged repository. */
export async function selectObjects(objects: ObjectDatabase, options: SelectOptions): Promise<ObjectSelection> {
  const { graph = new CommitGraph(objects), tags = [], signal } = options
  const selected = new Uint8Array(objects.ordinalCount)
  const known = new Uint8Array(objects.ordinalCount)
  const haves = sortByType(objects, options.haves, (tag) => mark(known, tag))
  const wants = sortByType(objects, options.wants, (tag) => mark(selected, tag))
  for (const ordinal of haves.others) mark(known, ordinal)
  const range = await findNewCommits(graph, { wants: wants.commits, haves: haves.commits, signal })
  const walk = new TreeWalk(objects, { selected, known }, fairLoop())
  for (const commit of haves.commits) mark(known, graph.treeOf(commit))
  await walkCommits(graph, range, { ...options, haves: haves.commits, walk, marks: { selected, known } })
  for (const ordinal of wants.others) {
    if (objects.stat(ordinal).type === 'tree') await walk.walk(ordinal, [])
    else mark(selected, ordinal)
  }
  for (const tag of tags) addTag(objects, tag, selected)
  const isClientKnown = (ordinal: Ordinal) => known[ordinal] === 1 || range.isKnown(ordinal)
  return { ordinals: markedOrdinals(selected), isClientKnown }
}

interface CommitWalk extends SelectOptions {
  walk: TreeWalk
  marks: { selected: Uint8Array; known: Uint8Array }
}

async function walkCommits(graph: CommitGraph, range: NewCommits, options: CommitWalk): Promise<void> {
  const { walk, marks, haves, onProgress, signal } = options
  // What a client with a cut history has at its tips stands in for the parents that it lacks.
  const haveTrees = haves.map((commit) => graph.treeOf(commit))
  let count = 0
  for (const commit of range.commits) {
    mark(marks.selected, commit)
    const parents = graph.parentsOf(commit)
    for (const parent of parents) if (range.isKnown(parent)) mark(marks.known, graph.treeOf(parent))
    const bases = parents.length > 0 ? parents.map((parent) => graph.treeOf(parent)) : haveTrees
    await walk.walk(graph.treeOf(commit), bases)
    if ((++count & 255) === 0) {
      signal?.throwIfAborted()
      onProgress?.(count)
    }
  }
}

/** Parts commits from trees and blobs, following tags. */
function sortByType(objects: ObjectDatabase, ordinals: readonly Ordinal[], onTag: (tag: Ordinal) => void) {
  const commits: Ordinal[] = []
  const others: Ordinal[] = []
  for (const ordinal of ordinals) {
    const target = peel(objects, ordinal, onTag)
    if (objects.stat(target).type === 'commit') commits.push(target)
    else others.push(target)
  }
  return { commits, others }
}

function addTag(objects: ObjectDatabase, { name, id, peeledId }: Ref, selected: Uint8Array): void {
  if (peeledId === undefined || !name.startsWith('refs/tags/')) return
  const target = locateId(objects, peeledId)
  if (target < 0 || selected[target] === 0) return
  const tag = locateId(objects, id)
  if (tag >= 0) peel(objects, tag, (ordinal) => mark(selected, ordinal))
}

function mark(marks: Uint8Array, ordinal: Ordinal): void {
  marks[ordinal] = 1
}

function markedOrdinals(marks: Uint8Array): Uint32Array {
  let count = 0
  for (let ordinal = 0; ordinal < marks.length; ordinal++) count += marks[ordinal]
  const ordinals = new Uint32Array(count)
  let at = 0
  for (let ordinal = 0; at < count; ordinal++) {
    if (marks[ordinal] === 1) ordinals[at++] = ordinal
  }
  return ordinals
}
