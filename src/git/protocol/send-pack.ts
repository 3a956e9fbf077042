/** The last part of a fetch: objects selected, progress told, the pack streamed in band 1. */
import { isHoldfastError } from '../../errors.ts'
import { writePack } from '../pack/writer.ts'
import type { ObjectDatabase, Ordinal, RefSnapshot } from '../repository.ts'
import { selectObjects } from '../walk/select-objects.ts'
import type { FetchPlan } from './fetch-plan.ts'
import type { FetchRequest } from './fetch-request.ts'
import { ProgressChannel } from './progress.ts'
import { bandPackets, errorBand, inDataBand, progressBand } from './side-band.ts'

export interface PackAnswer {
  objects: ObjectDatabase
  refs: RefSnapshot
  request: FetchRequest
  plan: FetchPlan
  /** What the client has. */
  haves: readonly Ordinal[]
  signal: AbortSignal
}

/** Failures are told in band 3. Without a side-band, and for defects, the stream breaks off: an unfinished pack is refused by the client. */
export async function* sendPack(answer: PackAnswer): AsyncGenerator<Uint8Array> {
  const { sideBand } = answer.request
  try {
    yield* packStream(answer)
  } catch (error) {
    if (sideBand === undefined) throw new Error('The pack could not be finished.', { cause: error })
    const isExpected = isHoldfastError(error)
    yield bandPackets(errorBand, isExpected ? error.message : 'The server failed.', sideBand)
    if (!isExpected) throw error
  }
}

async function* packStream({ objects, refs, request, plan, haves, signal }: PackAnswer): AsyncGenerator<Uint8Array> {
  const { sideBand, ofsDelta, noProgress } = request
  const progress = new ProgressChannel(sideBand)
  const tell = (text: string) => {
    if (!noProgress) progress.send(text)
  }
  const left = new AbortController()
  const selection = yield* progress.until(
    selectObjects(objects, {
      wants: [...plan.wants, ...plan.deepened],
      haves: [...haves, ...plan.boundary.unshallow],
      tags: request.includeTag ? refs.refs : [],
      filter: plan.filter,
      graph: plan.graph,
      onProgress: (commitCount) => tell(`Enumerating commits: ${commitCount}\r`),
      signal: AbortSignal.any([signal, left.signal]),
    }),
    { stop: () => left.abort() },
  )
  const { ordinals, isClientKnown } = selection
  if (sideBand !== undefined && !noProgress) {
    yield bandPackets(progressBand, `Enumerating objects: ${ordinals.length}, done.\n`, sideBand)
  }
  const pack = writePack(objects, ordinals, {
    ofsDelta,
    isClientKnown: request.thinPack ? isClientKnown : undefined,
    signal,
  })
  yield* inDataBand(pack, sideBand)
}
