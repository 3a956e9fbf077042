/** Which commits are ancestors of others? */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import type { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'
import { OrdinalNumbers } from './ordinal-numbers.ts'

// Each commit is compared with every target that is missing, until that would take longer than to walk on.
const comparisonsMax = 20_000

export interface AncestryOptions {
  /** After so many commits what was not found counts as no ancestor. */
  commitsMax?: number
  signal?: AbortSignal
}

/**
 * Those of `targets` that are neither among `tips` nor among their ancestors, as far as the graph is not cut. Where
 * generations are known, below that of the lowest target nothing is looked for; where they are not, a no has walked the
 * whole history, since clocks falsify dates. Throws ObjectMissing, ObjectInvalid.
 */
export async function findNonAncestors(
  graph: CommitGraph,
  targets: readonly Ordinal[],
  tips: Iterable<Ordinal>,
  { commitsMax = Number.POSITIVE_INFINITY, signal }: AncestryOptions = {},
): Promise<Ordinal[]> {
  const seen = new OrdinalNumbers(graph.objects.ordinalCount)
  const missing = new Set(targets)
  const least = targets.reduce((low, target) => Math.min(low, graph.generationOf(target)), Number.POSITIVE_INFINITY)
  const frontier = new Frontier(graph)
  // What is noted of the history as it is does not hold where it is cut.
  let comparisonsLeft = graph.hasCuts ? 0 : comparisonsMax
  const add = (commit: Ordinal) => {
    if (seen.get(commit) === 1) return
    seen.set(commit, 1)
    missing.delete(commit)
    if (comparisonsLeft > 0) {
      comparisonsLeft -= missing.size
      for (const target of missing) if (graph.objects.leadsTo(commit, target)) missing.delete(target)
    }
    const generation = graph.generationOf(commit)
    if (generation === 0 || generation > least) frontier.push(commit, generation > 0)
  }
  for (const tip of tips) add(tip)
  const pause = fairLoop(signal)
  for (let walked = 0; missing.size > 0 && frontier.length > 0 && walked < commitsMax; walked++) {
    const commit = frontier.pop()
    const parentCount = graph.parentCountOf(commit)
    for (let index = 0; index < parentCount; index++) add(graph.parentOf(commit, index))
    if (pause.due()) await pause.now()
  }
  return [...missing]
}

/** Commits still to be walked from: newest first, so that few are read; those that need not be read as they come. */
class Frontier {
  readonly #graph: CommitGraph
  readonly #unread = new DateQueue()
  readonly #noted: Ordinal[] = []
  #next = 0

  constructor(graph: CommitGraph) {
    this.#graph = graph
  }

  get length(): number {
    return this.#unread.length + this.#noted.length - this.#next
  }

  push(commit: Ordinal, isNoted: boolean): void {
    if (isNoted) this.#noted.push(commit)
    else this.#unread.push(commit, this.#graph.dateOf(commit))
  }

  pop(): Ordinal {
    return this.#unread.length > 0 ? this.#unread.pop() : this.#noted[this.#next++]
  }
}
