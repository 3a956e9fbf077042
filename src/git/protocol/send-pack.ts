/** The last part of a fetch: objects selected, progress told, the pack streamed in band 1. */
import { isHoldfastError } from '../../errors.ts'
import { writePack } from '../pack/writer.ts'
import { selectObjects } from '../walk/select-objects.ts'
import { planClone } from './clone-plan.ts'
import type { PackAnswer } from './fetch-plan.ts'
import type { FetchRequest } from './fetch-request.ts'
import { ProgressChannel } from './progress.ts'
import { sendClone } from './send-clone.ts'
import { bandPackets, errorBand, inDataBand, progressBand } from './side-band.ts'

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

async function* packStream(answer: PackAnswer): AsyncGenerator<Uint8Array> {
  const { objects, request, signal } = answer
  const { sideBand, ofsDelta } = request
  const progress = new ProgressChannel(request.noProgress ? undefined : sideBand)
  const left = new AbortController()
  const stoppable = { ...answer, signal: AbortSignal.any([signal, left.signal]) }
  const stop = () => left.abort()
  const clone = objects.clonePack && (yield* progress.until(planClone(stoppable), { stop }))
  if (clone !== undefined) {
    yield* enumerated(request, clone.section.objectCount + clone.since.length)
    yield* sendClone(answer, clone)
    return
  }
  const { ordinals, isClientKnown } = yield* progress.until(select(stoppable, progress), { stop })
  yield* enumerated(request, ordinals.length)
  const pack = writePack(objects, ordinals, {
    ofsDelta,
    isClientKnown: request.thinPack ? isClientKnown : undefined,
    signal,
  })
  yield* inDataBand(pack, sideBand)
}

function select({ objects, refs, request, plan, haves, signal }: PackAnswer, progress: ProgressChannel) {
  return selectObjects(objects, {
    wants: [...plan.wants, ...plan.deepened],
    haves: [...haves, ...plan.boundary.unshallow],
    tags: request.includeTag ? refs.refs : [],
    filter: plan.filter,
    graph: plan.graph,
    onProgress: (commitCount) => progress.send(`Enumerating commits: ${commitCount}\r`),
    signal,
  })
}

function* enumerated({ sideBand, noProgress }: FetchRequest, objectCount: number): Generator<Uint8Array> {
  if (sideBand === undefined || noProgress) return
  yield bandPackets(progressBand, `Enumerating objects: ${objectCount}, done.\n`, sideBand)
}
