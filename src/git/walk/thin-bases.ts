/**
 * Bases of stored deltas that the client has although the walk did not come by them: versions from deeper in its history.
 * Found out by who introduced them, so that the deltas go out as they are stored.
 */
import type { Ordinal, StoredEntry } from '../repository.ts'
import { findNonAncestors } from './ancestry.ts'
import type { CommitGraph } from './commit-graph.ts'
import { leavesOutBlobs, type ObjectFilter } from './object-filter.ts'

// Writing an object anew takes about a millisecond, in which some thousands of commits are walked.
const commitsPerBase = 2_500

export interface ThinBasesOptions {
  /** Those that are marked in `selected`. */
  ordinals: Uint32Array
  selected: Uint8Array
  /** What the client is known to have; bases that are found are marked in it. */
  known: Uint8Array
  /** The client's commits. */
  haves: readonly Ordinal[]
  /** What a client that asks with it will not have got before. */
  filter: ObjectFilter
  signal?: AbortSignal
}

/** Throws ObjectMissing, ObjectInvalid. */
export async function markThinBases(graph: CommitGraph, options: ThinBasesOptions): Promise<void> {
  const { known, haves, signal } = options
  const basesOf = groupByIntroducer(graph, options)
  const targets = [...basesOf.keys()]
  if (targets.length === 0) return
  let baseCount = 0
  for (const bases of basesOf.values()) baseCount += bases.length
  const beyond = await findNonAncestors(graph, targets, haves, { commitsMax: baseCount * commitsPerBase, signal })
  for (const commit of beyond) basesOf.delete(commit)
  for (const bases of basesOf.values()) for (const base of bases) known[base] = 1
}

/** By commit: bases that the client has if it has the commit. */
function groupByIntroducer(graph: CommitGraph, options: ThinBasesOptions): Map<Ordinal, Ordinal[]> {
  const { objects } = graph
  const { ordinals, selected, known } = options
  const entry: StoredEntry = { pack: 0, offset: 0, end: 0, base: -1, ofsDistance: 0 }
  const grouped = new Map<Ordinal, Ordinal[]>()
  const seen = new Set<Ordinal>()
  for (const ordinal of ordinals) {
    if (!objects.readStored(ordinal, entry)) continue
    const { base } = entry
    if (base < 0 || selected[base] !== 0 || known[base] !== 0 || seen.has(base)) continue
    seen.add(base)
    const commit = introducerOf(graph, base, options.filter)
    if (commit < 0) continue
    const bases = grouped.get(commit)
    if (bases === undefined) grouped.set(commit, [base])
    else bases.push(base)
  }
  return grouped
}

/** The commit whose possession tells that the client has `base`; -1 where there is none. */
function introducerOf({ objects }: CommitGraph, base: Ordinal, filter: ObjectFilter): Ordinal {
  const type = objects.typeOf(base)
  if (type === 'commit') return base
  const mayLack = type === 'blob' && (leavesOutBlobs(filter) || objects.stat(base).sizeBytes >= filter.blobMaxBytes)
  return mayLack ? -1 : objects.introducerOf(base)
}
