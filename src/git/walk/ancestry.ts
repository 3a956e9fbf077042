/** Which commits are ancestors of others? */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import type { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

/**
 * Those of `targets` that are neither among `tips` nor among their ancestors. Newest first, so that recent commits are
 * found after few reads; never cut short by dates, which clocks falsify: a no has walked the whole history. Throws
 * ObjectMissing, ObjectInvalid.
 */
export async function findNonAncestors(
  graph: CommitGraph,
  targets: readonly Ordinal[],
  tips: Iterable<Ordinal>,
): Promise<Ordinal[]> {
  const seen = new Uint8Array(graph.objects.ordinalCount)
  const missing = new Set(targets)
  const queue = new DateQueue()
  const add = (commit: Ordinal) => {
    if (seen[commit] === 1) return
    seen[commit] = 1
    missing.delete(commit)
    queue.push(commit, graph.dateOf(commit))
  }
  for (const tip of tips) add(tip)
  const pause = fairLoop()
  while (missing.size > 0 && queue.length > 0) {
    for (const parent of graph.trueParentsOf(queue.pop())) add(parent)
    if (pause.due()) await pause.now()
  }
  return [...missing]
}
