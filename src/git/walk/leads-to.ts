/** Do some objects lead to all of others? Asked of tips, which are commits and tags nearly always. */
import type { Ordinal } from '../repository.ts'
import { findNonAncestors } from './ancestry.ts'
import { type CommitGraph, peel } from './commit-graph.ts'

/**
 * True where each of `targets` is among `starts`, what they point to as tags, or an ancestor of that. False as well for
 * trees and blobs below commits, which are not looked for. Throws ObjectMissing, ObjectInvalid.
 */
export async function leadToAll(
  graph: CommitGraph,
  starts: readonly Ordinal[],
  targets: readonly Ordinal[],
  signal?: AbortSignal,
): Promise<boolean> {
  const { objects } = graph
  const reached = new Set(starts)
  if (targets.every((target) => reached.has(target))) return true
  const commits: Ordinal[] = []
  for (const start of starts) {
    const target = peel(objects, start, (tag) => reached.add(tag))
    reached.add(target)
    if (objects.stat(target).type === 'commit') commits.push(target)
  }
  const others = targets.filter((target) => !reached.has(target))
  if (others.some((target) => objects.stat(target).type !== 'commit')) return false
  return (await findNonAncestors(graph, others, commits, { signal })).length === 0
}
