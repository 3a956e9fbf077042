/** What must go into a pack so that a client which has the haves gets the wants. */
import { fairLoop } from '../fair-loop.ts'
import { locateId, type ObjectDatabase, type ObjectType, type Ordinal, type Ref } from '../repository.ts'
import { CommitGraph, peel } from './commit-graph.ts'
import { markContent } from './mark-content.ts'
import { markedOrdinals } from './marked-ordinals.ts'
import { findNewCommits, type NewCommits } from './new-commits.ts'
import { isPlaced, leavesOutBlobs, leavesOutTrees, noFilter, type ObjectFilter } from './object-filter.ts'
import { markThinBases } from './thin-bases.ts'
import { marks, TreeWalk } from './tree-walk.ts'

export interface SelectOptions {
  /** Objects of any type. */
  wants: readonly Ordinal[]
  /** Objects that the client has whole, with everything they lead to as far as the graph is not cut. */
  haves: readonly Ordinal[]
  /** Of these, annotated tags are added whose target is sent (include-tag). */
  tags?: readonly Ref[]
  /** What is left out, though not of the wants. */
  filter?: ObjectFilter
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

/** Walks commits, and what each changed: as it was noted when it came in, or the trees that differ. Throws ObjectMissing and ObjectInvalid on a damaged repository. */
export async function selectObjects(objects: ObjectDatabase, options: SelectOptions): Promise<ObjectSelection> {
  const { graph = new CommitGraph(objects), tags = [], filter = noFilter, signal } = options
  const selected = new Uint8Array(objects.ordinalCount)
  const known = new Uint8Array(objects.ordinalCount)
  const haves = sortByType(objects, options.haves, (tag) => mark(known, tag))
  const wants = sortByType(objects, options.wants, (tag) => mark(selected, tag, marks.tag))
  for (const ordinal of haves.others) mark(known, ordinal)
  const range = await findNewCommits(graph, { wants: wants.commits, haves: haves.commits, signal })
  const walk = new TreeWalk(objects, { selected, known }, fairLoop(signal), filter)
  for (const commit of haves.commits) mark(known, graph.treeOf(commit))
  await walkCommits(graph, range, { ...options, haves: haves.commits, walk, filter, selected, known })
  for (const ordinal of wants.others) {
    if (objects.stat(ordinal).type === 'tree') await walk.walkGiven(ordinal)
    else mark(selected, ordinal, marks.blob)
  }
  leaveOut(objects, selected, filter)
  for (const ordinal of options.wants) restore(objects, ordinal, selected, range)
  for (const tag of tags) addTag(objects, tag, selected)
  const ordinals = markedOrdinals(selected)
  const marked = { ordinals, selected, known, haves: haves.commits, filter, signal }
  if (haves.commits.length > 0) await markThinBases(graph, marked)
  const isClientKnown = (ordinal: Ordinal) => known[ordinal] === 1 || range.isKnown(ordinal)
  return { ordinals, isClientKnown }
}

interface CommitWalk extends SelectOptions {
  walk: TreeWalk
  filter: ObjectFilter
  selected: Uint8Array
  known: Uint8Array
}

async function walkCommits(graph: CommitGraph, range: NewCommits, options: CommitWalk): Promise<void> {
  const { walk, selected, known, haves, filter, onProgress, signal } = options
  const hasTrees = !leavesOutTrees(filter)
  const selectNoted = isPlaced(filter) ? () => false : notedSelection(graph, options)
  // What a client with a cut history has at its tips stands in for the parents that it lacks.
  const haveTrees = haves.map((commit) => graph.treeOf(commit))
  const pause = fairLoop(signal)
  if (hasTrees) await markCutContent(graph, range, options)
  let count = 0
  for (const commit of range.commits) {
    mark(selected, commit, marks.commit)
    const parentCount = graph.parentCountOf(commit)
    for (let index = 0; index < parentCount; index++) {
      const parent = graph.parentOf(commit, index)
      if (range.isKnown(parent)) mark(known, graph.treeOf(parent))
    }
    if (hasTrees && !selectNoted(commit)) {
      const bases = parentCount > 0 ? graph.parentsOf(commit).map((parent) => graph.treeOf(parent)) : haveTrees
      await walk.walk(graph.treeOf(commit), bases)
    }
    if (pause.due()) await pause.now()
    if ((++count & 255) === 0) onProgress?.(count)
  }
}

/**
 * Where a client's history ends, and what came before is now sent: what it has at that end came from there, and would be
 * sent again with the commits that introduced it.
 */
async function markCutContent(graph: CommitGraph, range: NewCommits, options: CommitWalk): Promise<void> {
  const { haves, known, filter, signal } = options
  // A client that leaves out trees lacks some at that end, too.
  if (!graph.hasCuts || isPlaced(filter) || !filter.types.has('tree')) return
  const isNew = new Set(range.commits)
  const hasBlobs = filter.blobMaxBytes === Number.POSITIVE_INFINITY && filter.types.has('blob')
  const pause = fairLoop(signal)
  for (const commit of haves) {
    const isDeepened = graph.isCut(commit) && graph.trueParentsOf(commit).some((parent) => isNew.has(parent))
    if (!isDeepened) continue
    await markContent(graph.objects, graph.treeOf(commit), { marked: known, hasBlobs, pause })
  }
}

/**
 * Selects what a commit introduced, where that was noted; false where its trees must be walked. As in TreeWalk, all its
 * parents are covered by then: so what it replaced and was not selected is what the client has.
 */
function notedSelection(graph: CommitGraph, { filter, selected, known }: CommitWalk): (commit: Ordinal) => boolean {
  const { objects } = graph
  const hasBlobs = !leavesOutBlobs(filter)
  const addKnown = (ordinal: Ordinal, type: ObjectType) => {
    if (selected[ordinal] === marks.none && (hasBlobs || type === 'tree')) known[ordinal] = 1
  }
  const select = (ordinal: Ordinal, type: ObjectType) => {
    if (selected[ordinal] === marks.none && known[ordinal] === 0) selected[ordinal] = marks[type]
  }
  return (commit) => {
    // A client that lacks the parents needs the whole tree.
    if (graph.isCut(commit) && graph.trueParentCountOf(commit) > 0) return false
    return objects.visitReplaced(commit, addKnown) && objects.visitIntroduced(commit, select)
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

/** Takes back what the filter leaves out by type and size. */
function leaveOut(objects: ObjectDatabase, selected: Uint8Array, { types, blobMaxBytes }: ObjectFilter): void {
  const isSent = [true, types.has('commit'), types.has('tag'), types.has('tree'), types.has('blob')]
  if (isSent.every(Boolean) && blobMaxBytes === Number.POSITIVE_INFINITY) return
  for (let ordinal = 0; ordinal < selected.length; ordinal++) {
    const kind = selected[ordinal]
    const isTooLarge = kind === marks.blob && isSent[kind] && objects.stat(ordinal).sizeBytes >= blobMaxBytes
    if (!isSent[kind] || isTooLarge) selected[ordinal] = marks.none
  }
}

/** A want, and what it tags, is sent whatever the filter says, unless the client has it. */
function restore(objects: ObjectDatabase, want: Ordinal, selected: Uint8Array, range: NewCommits): void {
  const target = peel(objects, want, (tag) => mark(selected, tag, marks.tag))
  const { type } = objects.stat(target)
  if (type !== 'commit' || !range.isKnown(target)) mark(selected, target, marks[type])
}

function addTag(objects: ObjectDatabase, { name, id, peeledId }: Ref, selected: Uint8Array): void {
  if (peeledId === undefined || !name.startsWith('refs/tags/')) return
  const target = locateId(objects, peeledId)
  if (target < 0 || selected[target] === 0) return
  const tag = locateId(objects, id)
  if (tag >= 0) peel(objects, tag, (ordinal) => mark(selected, ordinal, marks.tag))
}

function mark(marked: Uint8Array, ordinal: Ordinal, kind = 1): void {
  marked[ordinal] = kind
}
