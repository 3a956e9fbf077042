/** The history of a commit as `git log` shows it: newest first by committer date, each commit once. */
import type { FairLoop } from '../fair-loop.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { CommitGraph } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

export interface HistoryPage {
  /** Of these commits. */
  commits: Ordinal[]
  /** How many there are in all; undefined where it was not asked for. */
  total: number | undefined
}

/** So many commits of the history of `commit` after `skip` others. Counting all walks all. */
export async function pageHistory(
  objects: ObjectDatabase,
  commit: Ordinal,
  { skip, max, isCounting, pause }: { skip: number; max: number; isCounting: boolean; pause: FairLoop },
): Promise<HistoryPage> {
  const graph = new CommitGraph(objects)
  const seen = new Uint8Array(objects.ordinalCount)
  const queue = new DateQueue()
  const add = (next: Ordinal) => {
    if (seen[next] === 1) return
    seen[next] = 1
    queue.push(next, graph.dateOf(next))
  }
  add(commit)
  const commits: Ordinal[] = []
  let passed = 0
  while (queue.length > 0 && (isCounting || commits.length < max)) {
    if (pause.due()) await pause.now()
    const next = queue.pop()
    if (passed++ >= skip && commits.length < max) commits.push(next)
    const parentCount = graph.parentCountOf(next)
    for (let index = 0; index < parentCount; index++) add(graph.parentOf(next, index))
  }
  return { commits, total: isCounting ? passed : undefined }
}
