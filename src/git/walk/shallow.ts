/** Shallow clones: where the client's history ends, and where it is to end after a fetch with a depth. */
import { HoldfastError } from '../../errors.ts'
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import { findNonAncestors } from './ancestry.ts'
import type { CommitGraph } from './commit-graph.ts'
import { type CommitRange, findNewCommits } from './new-commits.ts'

/** The depth that git sends for `--unshallow`: all history. */
export const infiniteDepth = 0x7fffffff

/** How far a fetch reaches: to a depth, or to a date and to what some refs lead to. */
export interface Deepening {
  /** Commits from a want down, itself included; with `isRelative`, commits more than now. */
  depth: number | undefined
  isRelative: boolean
  sinceSeconds: number | undefined
  /** Neither these commits nor what they lead to. */
  not: readonly Ordinal[]
}

export interface DeepenOptions {
  /** Commits (tags followed) that the client wants. */
  wants: readonly Ordinal[]
  /** Commits that end the client's history now. */
  clientShallow: readonly Ordinal[]
  /** Commits at the tips of the refs that the client may see: a relative depth counts from the ends that they lead to. */
  tips: readonly Ordinal[]
  deepening: Deepening
  /** Commits at which this repository's own history ends: the client's cannot go on there. */
  ownEnds?: ReadonlySet<Ordinal>
  signal?: AbortSignal
}

export interface Boundary {
  /** New ends of the client's history. */
  shallow: readonly Ordinal[]
  /** Former ends that are ends no longer. */
  unshallow: readonly Ordinal[]
}

/**
 * Where the client's history will end. A commit at a depth's boundary is listed even where it has no parents, as git does.
 * The graph must not be cut yet: the answer is about the history as it is. Throws InputInvalid where nothing is left.
 */
export async function findBoundary(graph: CommitGraph, options: DeepenOptions): Promise<Boundary> {
  const { clientShallow, deepening, ownEnds = new Set() } = options
  if (deepening.depth === infiniteDepth && ownEnds.size === 0) return { shallow: [], unshallow: clientShallow }
  const { inside, ends } = await (deepening.depth === undefined
    ? walkRange(graph, options)
    : walkDepth(graph, {
        starts: await startsOf(graph, options),
        depth: deepening.depth + (deepening.isRelative ? 1 : 0),
        signal: options.signal,
      }))
  for (const end of ownEnds) if (inside.delete(end)) ends.push(end)
  const former = new Set(clientShallow)
  return {
    shallow: ends.filter((commit) => !former.has(commit)),
    unshallow: clientShallow.filter((commit) => inside.has(commit)),
  }
}

async function startsOf(graph: CommitGraph, { wants, clientShallow, tips, deepening, signal }: DeepenOptions) {
  if (!deepening.isRelative) return wants
  const unreached = new Set(await findNonAncestors(graph, clientShallow, tips, { signal }))
  return clientShallow.filter((commit) => !unreached.has(commit))
}

/** The commits of a date range without those that others lead to: `ends` lack a parent, `inside` is the rest. */
async function walkRange(graph: CommitGraph, { wants, deepening, signal }: DeepenOptions) {
  const { sinceSeconds = 0, not } = deepening
  const range = { wants, haves: not, sinceSeconds, signal }
  const commits = not.length === 0 ? await walkSince(graph, range) : (await findNewCommits(graph, range)).commits
  if (commits.length === 0) {
    throw new HoldfastError('InputInvalid', { message: 'no commits selected for shallow requests' })
  }
  const selected = new Set(commits)
  const isEnd = (commit: Ordinal) => graph.trueParentsOf(commit).some((parent) => !selected.has(parent))
  const ends = commits.filter(isEnd)
  for (const end of ends) selected.delete(end)
  return { inside: selected, ends }
}

/** Without refs to stay away from, git only passes over old commits: what young ones lead to from elsewhere remains. */
async function walkSince(graph: CommitGraph, { wants, sinceSeconds, signal }: CommitRange & { sinceSeconds: number }) {
  const isYoung = (commit: Ordinal) => graph.dateOf(commit) >= sinceSeconds
  const found = new Set(wants.filter(isYoung))
  const pause = fairLoop(signal)
  // A set is walked in the order in which it grows.
  for (const commit of found) {
    for (const parent of graph.trueParentsOf(commit)) if (isYoung(parent)) found.add(parent)
    if (pause.due()) await pause.now()
  }
  return [...found]
}

/** Breadth first, so that a commit's depth is its least: `ends` are at `depth`, `inside` is everything above. */
async function walkDepth(
  graph: CommitGraph,
  { starts, depth, signal }: { starts: readonly Ordinal[]; depth: number; signal: AbortSignal | undefined },
) {
  const inside = new Set<Ordinal>()
  const seen = new Set(starts)
  let level = [...seen]
  const pause = fairLoop(signal)
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
