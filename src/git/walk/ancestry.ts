/** Which commits are ancestors of others? */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import type { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

/**
 * Those of `targets` that are neither among `tips` nor among their ancestors. Newest first, so that recent commits are
 * found after few steps. A no is known once only commits of lower generations are left; where generations are not known
 * it has walked the whole history, since clocks falsify dates. Throws ObjectMissing, ObjectInvalid.
 */
export async function findNonAncestors(
  graph: CommitGraph,
  targets: readonly Ordinal[],
  tips: Iterable<Ordinal>,
): Promise<Ordinal[]> {
  const seen = new Uint8Array(graph.objects.ordinalCount)
  const missing = new Set(targets)
  const queue = new DateQueue()
  const least = targets.reduce((low, target) => Math.min(low, graph.generationOf(target)), Number.POSITIVE_INFINITY)
  let hasGenerations = least > 0
  const add = (commit: Ordinal) => {
    if (seen[commit] === 1) return
    seen[commit] = 1
    missing.delete(commit)
    queue.push(commit, graph.rankOf(commit))
    if (graph.generationOf(commit) === 0) hasGenerations = false
  }
  for (const tip of tips) add(tip)
  const pause = fairLoop()
  while (missing.size > 0 && queue.length > 0 && !(hasGenerations && queue.newestDate < least)) {
    const commit = queue.pop()
    const parentCount = graph.trueParentCountOf(commit)
    for (let index = 0; index < parentCount; index++) add(graph.parentOf(commit, index))
    if (pause.due()) await pause.now()
  }
  return [...missing]
}
