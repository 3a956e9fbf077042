/**
 * The last part of a fetch: which pack the client gets, and who makes it. A small one is made here, at once; what turns
 * out to be more goes to the host's worker threads, if it has any.
 */
import { isHoldfastError } from '../../errors.ts'
import type { ByteStream } from '../object-id.ts'
import type { ObjectDatabase } from '../repository.ts'
import type { ObjectFilter } from '../walk/object-filter.ts'
import type { ObjectSelection } from '../walk/select-objects.ts'
import { type ClonePlan, planClone } from './clone-plan.ts'
import { cutsOf, deepenedBy, type PackAnswer } from './fetch-plan.ts'
import { type PackOrder, selectOrdered, tellCount, writeOrdered } from './pack-order.ts'
import { ProgressChannel } from './progress.ts'
import { sendClone } from './send-clone.ts'
import { bandPackets, errorBand } from './side-band.ts'

/** What may be written here: reading and deflating more would hold up others. */
const objectsHereMax = 1_000
const bytesHereMax = 1024 * 1024
/** For how long objects are selected here. */
const selectHereMaxMs = 10

/**
 * Sends what is wanted, or of that only the objects `only`, in a pack that is whole in itself.
 *
 * Failures are told in band 3. Without a side-band, and for defects, the stream breaks off: an unfinished
 * pack is refused by the client.
 */
export async function* sendPack(answer: PackAnswer, only?: Uint32Array): AsyncGenerator<Uint8Array> {
  const { sideBand } = answer.request
  try {
    yield* only === undefined ? packStream(answer) : partStream(answer, only)
  } catch (error) {
    if (sideBand === undefined) throw new Error('The pack could not be finished.', { cause: error })
    const isExpected = isHoldfastError(error)
    yield bandPackets(errorBand, isExpected ? error.message : 'The server failed.', sideBand)
    if (!isExpected) throw error
  }
}

async function* packStream(answer: PackAnswer): ByteStream {
  const { host, objects, signal } = answer
  const order = orderOf(answer)
  const sender = host.packSender?.(objects)
  const clone = objects.clonePack && (yield* planCloneTelling(answer))
  // What came since must be read, where the clone pack itself is only passed on.
  if (clone !== undefined && !(sender?.isAlways && clone.since.length > 0)) {
    yield* tellCount(order, clone.section.objectCount + clone.since.length)
    yield* sendClone(answer, clone)
    return
  }
  if (sender === undefined) {
    const selection = yield* selectOrdered(objects, order, signal)
    yield* writeOrdered(objects, order, selection, signal)
    return
  }
  const selection = sender.isAlways ? undefined : yield* selectBriefly(objects, order, signal)
  if (selection === undefined) yield* sender.send(order, signal)
  else yield* writeOrdered(objects, order, selection, signal)
}

function partStream(answer: PackAnswer, ordinals: Uint32Array): ByteStream {
  const order = { ...orderOf(answer), thinPack: false }
  return writeOrdered(answer.objects, order, { ordinals, isClientKnown: () => false }, answer.signal)
}

async function* planCloneTelling(answer: PackAnswer): AsyncGenerator<Uint8Array, ClonePlan | undefined> {
  const { request, signal } = answer
  const progress = new ProgressChannel(request.noProgress ? undefined : request.sideBand)
  const left = new AbortController()
  const planning = planClone({ ...answer, signal: AbortSignal.any([signal, left.signal]) })
  return yield* progress.until(planning, { stop: () => left.abort() })
}

/** The selection, if it is made soon and small. */
async function* selectBriefly(
  objects: ObjectDatabase,
  order: PackOrder,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, ObjectSelection | undefined> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), selectHereMaxMs)
  try {
    // Progress would be told again by who takes over.
    const quiet = { ...order, noProgress: true }
    const selection = yield* selectOrdered(objects, quiet, AbortSignal.any([signal, late.signal]))
    return isSmall(objects, selection) ? selection : undefined
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

function isSmall(objects: ObjectDatabase, { ordinals }: ObjectSelection): boolean {
  if (ordinals.length > objectsHereMax) return false
  let sizeBytes = 0
  for (const ordinal of ordinals) {
    sizeBytes += objects.stat(ordinal).sizeBytes
    if (sizeBytes > bytesHereMax) return false
  }
  return true
}

function orderOf({ refs, request, plan, boundary, haves }: PackAnswer): PackOrder {
  const { sideBand, ofsDelta, thinPack, noProgress, includeTag } = request
  return {
    wants: [...plan.wants, ...deepenedBy(boundary, plan)],
    haves: [...haves, ...boundary.unshallow],
    tags: includeTag ? refs.refs.annotated() : [],
    cuts: cutsOf(boundary, plan),
    filter: plan.filter && plainFilter(plan.filter),
    sideBand,
    ofsDelta,
    thinPack,
    noProgress,
  }
}

function plainFilter({ sparse, ...filter }: ObjectFilter): PackOrder['filter'] {
  return { ...filter, sparseTexts: sparse.map(({ text }) => text) }
}
