/**
 * What pack a client is to get, in plain values: so that whichever thread has the time can select its objects and write
 * it, in the side-band and with progress.
 */
import { writePack } from '../pack/writer.ts'
import type { ObjectDatabase, Ordinal, Ref } from '../repository.ts'
import { CommitGraph } from '../walk/commit-graph.ts'
import type { ObjectFilter } from '../walk/object-filter.ts'
import { type ObjectSelection, selectObjects } from '../walk/select-objects.ts'
import { SparsePatterns } from '../walk/sparse-patterns.ts'
import { ProgressChannel } from './progress.ts'
import { bandPackets, inDataBand, progressBand, type SideBand } from './side-band.ts'

export interface PackOrder {
  /** Ordinals are those of the opened objects, which are the same in every thread. */
  wants: readonly Ordinal[]
  /** What the client has. */
  haves: readonly Ordinal[]
  /** Annotated tags that go along with their targets. */
  tags: readonly Ref[]
  /** Commits in which the client's history ends. */
  cuts: readonly Ordinal[]
  /** The patterns of `sparse` by their text. */
  filter: (Omit<ObjectFilter, 'sparse'> & { sparseTexts: readonly string[] }) | undefined
  sideBand: SideBand
  ofsDelta: boolean
  thinPack: boolean
  noProgress: boolean
}

/** Selects the objects, telling progress. */
export async function* selectOrdered(
  objects: ObjectDatabase,
  order: PackOrder,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, ObjectSelection> {
  const progress = new ProgressChannel(order.noProgress ? undefined : order.sideBand)
  const left = new AbortController()
  const graph = new CommitGraph(objects)
  graph.cut(order.cuts)
  const selecting = selectObjects(objects, {
    wants: order.wants,
    haves: order.haves,
    tags: order.tags,
    filter: filterOf(order),
    graph,
    onProgress: (commitCount) => progress.send(`Enumerating commits: ${commitCount}\r`),
    signal: AbortSignal.any([signal, left.signal]),
  })
  return yield* progress.until(selecting, { stop: () => left.abort() })
}

/** Writes the pack of what was selected, in band 1. */
export async function* writeOrdered(
  objects: ObjectDatabase,
  order: PackOrder,
  { ordinals, isClientKnown }: ObjectSelection,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { sideBand, ofsDelta, thinPack } = order
  yield* tellCount(order, ordinals.length)
  const pack = writePack(objects, ordinals, {
    ofsDelta,
    isClientKnown: thinPack ? isClientKnown : undefined,
    signal,
  })
  yield* inDataBand(pack, sideBand)
}

/** Tells how many objects come. */
export function* tellCount({ sideBand, noProgress }: PackOrder, objectCount: number): Generator<Uint8Array> {
  if (sideBand === undefined || noProgress) return
  yield bandPackets(progressBand, `Enumerating objects: ${objectCount}, done.\n`, sideBand)
}

function filterOf({ filter }: PackOrder): ObjectFilter | undefined {
  if (filter === undefined) return undefined
  const { sparseTexts, ...rest } = filter
  return { ...rest, sparse: sparseTexts.map((text) => new SparsePatterns(text)) }
}
