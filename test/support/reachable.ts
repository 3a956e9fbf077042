/** Which ids the refs lead to: what a host asks before it gives an id away. */
import type { ObjectId } from '../../src/git/object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal } from '../../src/git/repository.ts'
import { findNonAncestors } from '../../src/git/walk/ancestry.ts'
import { CommitGraph, peel } from '../../src/git/walk/commit-graph.ts'
import { selectObjects } from '../../src/git/walk/select-objects.ts'

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
  const isCommit = (ordinal: Ordinal) => objects.stat(ordinal).type === 'commit'
  const targets = tips.map((tip) => peel(objects, tip, (tag) => missing.delete(tag)))
  const wanted = [...missing.keys()].filter(isCommit)
  const unreached = new Set(await findNonAncestors(new CommitGraph(objects), wanted, targets.filter(isCommit)))
  for (const commit of wanted) if (!unreached.has(commit)) missing.delete(commit)
  return missing.size > unreached.size
}
