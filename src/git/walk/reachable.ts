/** Which ids the refs lead to: what a host asks before it gives an id away. */
import { fairLoop } from '../fair-loop.ts'
import type { ObjectId } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { CommitGraph, peel } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'
import { locateId, selectObjects } from './select-objects.ts'

/**
 * Those of `wants` that no id of `tips` leads to; absent objects are among them. Commits and the tags on the way are
 * answered by walking commits, newest first until all are found; other wants need a walk over all trees.
 */
export async function findUnreachable(
  objects: ObjectDatabase,
  tips: readonly ObjectId[],
  wants: readonly ObjectId[],
): Promise<ObjectId[]> {
  const missing = new Map<Ordinal, ObjectId>()
  const refused: ObjectId[] = []
  for (const id of wants) {
    const ordinal = locateId(objects, id)
    if (ordinal < 0) refused.push(id)
    else missing.set(ordinal, id)
  }
  if (missing.size === 0) return refused
  const tipOrdinals = tips.map((tip) => locateId(objects, tip)).filter((ordinal) => ordinal >= 0)
  const hasOther = await dropReachableCommits(objects, tipOrdinals, missing)
  if (hasOther) {
    const { ordinals } = await selectObjects(objects, { wants: tipOrdinals, haves: [] })
    for (const ordinal of ordinals) missing.delete(ordinal)
  }
  return [...refused, ...missing.values()]
}

/** Removes the commits and tags that `tips` lead to; true where trees, blobs or other tags are left to look for. */
async function dropReachableCommits(
  objects: ObjectDatabase,
  tips: readonly Ordinal[],
  missing: Map<Ordinal, ObjectId>,
): Promise<boolean> {
  const graph = new CommitGraph(objects)
  const queue = new DateQueue()
  const seen = new Uint8Array(objects.ordinalCount)
  const add = (commit: Ordinal) => {
    if (seen[commit]) return
    seen[commit] = 1
    queue.push(commit, graph.dateOf(commit))
  }
  for (const tip of tips) {
    const target = peel(objects, tip, (tag) => missing.delete(tag))
    if (objects.stat(target).type === 'commit') add(target)
    else missing.delete(target)
  }
  const isCommit = (ordinal: Ordinal) => objects.stat(ordinal).type === 'commit'
  let commitsLeft = [...missing.keys()].filter(isCommit).length
  const pause = fairLoop()
  while (queue.length > 0 && commitsLeft > 0) {
    const commit = queue.pop()
    if (missing.delete(commit)) commitsLeft--
    for (const parent of graph.parentsOf(commit)) add(parent)
    if (pause.due()) await pause.now()
  }
  return missing.size > commitsLeft
}
