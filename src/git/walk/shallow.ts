/** Shallow clones: where the client's history ends, and where it is to end after a fetch with a depth. */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import type { CommitGraph } from './commit-graph.ts'

/** The depth that git sends for `--unshallow`: all history. */
export const infiniteDepth = 0x7fffffff

export interface DeepenOptions {
  /** Commits (tags followed) that the client wants. */
  wants: readonly Ordinal[]
  /** Commits that end the client's history now. */
  clientShallow: readonly Ordinal[]
  /** Commits from a want down, itself included; with `isRelative`, commits more than now. */
  depth: number
  isRelative: boolean
}

export interface Boundary {
  /** New ends of the client's history. */
  shallow: readonly Ordinal[]
  /** Former ends that are ends no longer. */
  unshallow: readonly Ordinal[]
}

/**
 * Where the client's history will end. A commit at the boundary is listed even where it has no parents, as git does.
 * The graph must not be cut yet: the answer is about the history as it is.
 */
export async function findBoundary(graph: CommitGraph, options: DeepenOptions): Promise<Boundary> {
  const { wants, clientShallow, depth, isRelative } = options
  if (depth === infiniteDepth) return { shallow: [], unshallow: clientShallow }
  const { inside, ends } = isRelative
    ? await walkDepth(graph, await findAncestorsAmong(graph, wants, clientShallow), depth + 1)
    : await walkDepth(graph, wants, depth)
  const former = new Set(clientShallow)
  return {
    shallow: ends.filter((commit) => !former.has(commit)),
    unshallow: clientShallow.filter((commit) => inside.has(commit)),
  }
}

/** Breadth first, so that a commit's depth is its least: `ends` are at `depth`, `inside` is everything above. */
async function walkDepth(graph: CommitGraph, starts: readonly Ordinal[], depth: number) {
  const inside = new Set<Ordinal>()
  const seen = new Set(starts)
  let level = [...seen]
  const pause = fairLoop()
  for (let levelDepth = 1; levelDepth < depth && level.length > 0; levelDepth++) {
    const next: Ordinal[] = []
    for (const commit of level) {
      inside.add(commit)
      for (const parent of graph.trueParentsOf(commit)) {
        if (!seen.has(parent)) next.push(parent)
        seen.add(parent)
      }
      if (pause.due()) await pause.now()
    }
    level = next
  }
  return { inside, ends: level }
}

async function findAncestorsAmong(
  graph: CommitGraph,
  starts: readonly Ordinal[],
  sought: readonly Ordinal[],
): Promise<Ordinal[]> {
  const { inside } = await walkDepth(graph, starts, infiniteDepth)
  return sought.filter((commit) => inside.has(commit))
}
