/** Which commits lead to the wants and not to the haves: git's `rev-list <wants> --not <haves>`. */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import type { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

const seen = 1
const known = 2
const popped = 4
const placed = 8

// Where generations are not known, that many known commits are still walked after the last new one: a skewed clock may
// put an ancestor of a have above its descendants (git's limit_list does the same). Missing one costs bytes, never
// correctness.
const slopCommits = 5

export interface NewCommits {
  /** Parents before children. */
  commits: readonly Ordinal[]
  /** True for the haves and those of their ancestors that the walk met. */
  isKnown(commit: Ordinal): boolean
}

export interface CommitRange {
  wants: readonly Ordinal[]
  haves: readonly Ordinal[]
  /** Commits from before count as known, with what they lead to. */
  sinceSeconds?: number
  signal?: AbortSignal
}

/** Walks `graph` newest first until everything that is left is known. Throws ObjectMissing, ObjectInvalid. */
export async function findNewCommits(graph: CommitGraph, range: CommitRange): Promise<NewCommits> {
  const { wants, haves, sinceSeconds, signal } = range
  const walk = new RangeWalk(graph, sinceSeconds)
  for (const commit of haves) walk.addKnown(commit)
  for (const commit of wants) walk.add(commit)
  const pause = fairLoop(signal)
  while (walk.step()) if (pause.due()) await pause.now()
  return { commits: walk.parentsFirst(), isKnown: (commit) => walk.isKnown(commit) }
}

class RangeWalk {
  readonly #graph: CommitGraph
  readonly #flags: Uint8Array
  readonly #queue: DateQueue
  readonly #found: Ordinal[] = []
  readonly #sinceSeconds: number
  #queuedNew = 0
  /** False once a commit was met whose generation is not known. */
  #hasGenerations = true
  #oldestFoundDate = Number.POSITIVE_INFINITY
  #slop = slopCommits

  constructor(graph: CommitGraph, sinceSeconds = 0) {
    this.#graph = graph
    this.#sinceSeconds = sinceSeconds
    this.#flags = new Uint8Array(graph.objects.ordinalCount)
    this.#queue = new DateQueue()
  }

  isKnown(commit: Ordinal): boolean {
    return (this.#flags[commit] & known) !== 0
  }

  add(commit: Ordinal): void {
    if (this.#flags[commit] & seen) return
    this.#flags[commit] |= seen
    this.#queue.push(commit, this.#graph.rankOf(commit))
    if (this.#graph.generationOf(commit) === 0) this.#hasGenerations = false
    if (!this.isKnown(commit)) this.#queuedNew++
  }

  addKnown(commit: Ordinal): void {
    this.#markKnown(commit)
    this.add(commit)
  }

  /** Takes one commit; false when the walk is over. */
  step(): boolean {
    if (this.#queue.length === 0) return false
    const commit = this.#queue.pop()
    if (this.#graph.dateOf(commit) < this.#sinceSeconds) this.#markKnown(commit)
    this.#flags[commit] |= popped
    const isKnown = this.isKnown(commit)
    const parentCount = this.#graph.parentCountOf(commit)
    for (let index = 0; index < parentCount; index++) {
      const parent = this.#graph.parentOf(commit, index)
      if (isKnown) this.addKnown(parent)
      else this.add(parent)
    }
    if (isKnown) return this.#isWorthwhile()
    this.#queuedNew--
    this.#found.push(commit)
    this.#oldestFoundDate = this.#graph.rankOf(commit)
    return true
  }

  /** What was found, without what turned out to be known, parents before children. */
  parentsFirst(): Ordinal[] {
    // By generations, children are taken before parents, and what is known is known before it is taken.
    if (this.#hasGenerations) return this.#found.reverse()
    const ordered: Ordinal[] = []
    const stack: Ordinal[] = []
    const isOpen = (commit: Ordinal) => (this.#flags[commit] & (known | placed)) === 0
    for (let i = this.#found.length - 1; i >= 0; i--) {
      if (isOpen(this.#found[i])) stack.push(this.#found[i])
      while (stack.length > 0) {
        const commit = stack[stack.length - 1]
        const openParent = isOpen(commit) ? this.#graph.parentsOf(commit).find(isOpen) : undefined
        if (openParent !== undefined) {
          stack.push(openParent)
          continue
        }
        stack.pop()
        if (!isOpen(commit)) continue
        this.#flags[commit] |= placed
        ordered.push(commit)
      }
    }
    return ordered
  }

  #isWorthwhile(): boolean {
    if (this.#queue.length === 0) return false
    if (this.#hasGenerations) return this.#queuedNew > 0
    const isRecent = this.#queue.newestDate >= this.#oldestFoundDate
    this.#slop = this.#queuedNew > 0 || isRecent ? slopCommits : this.#slop - 1
    return this.#slop > 0
  }

  /** Marks a commit, and its ancestors as far as the walk has passed over them without knowing. */
  #markKnown(first: Ordinal): void {
    const stack = [first]
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      const flags = this.#flags[commit]
      if (flags & known) continue
      this.#flags[commit] |= known
      if (flags & popped) stack.push(...this.#graph.parentsOf(commit))
      else if (flags & seen) this.#queuedNew--
    }
  }
}
