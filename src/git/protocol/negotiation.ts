/** The haves of a fetch, answered: which are common, and whether the pack follows (gitprotocol-pack, gitprotocol-v2). */
import type { FetchHost } from '../host.ts'
import type { ObjectId } from '../object-id.ts'
import { locateId, type ObjectDatabase, type RefSnapshot } from '../repository.ts'
import type { ClientHaves } from '../walk/client-haves.ts'
import { withoutTips } from './fetch-plan.ts'
import { type FetchLimits, type FetchRequest, type HavesRound, readHaves } from './fetch-request.ts'
import { dataPacket, type PacketReader } from './pkt-line.ts'
import type { SectionWriter } from './sections.ts'

export interface Negotiation {
  host: Pick<FetchHost, 'hiddenHaves'>
  refs: RefSnapshot
  objects: ObjectDatabase
  common: ClientHaves
  signal: AbortSignal
}

export interface RoundsOfHaves extends Negotiation {
  packets: PacketReader
  limits: FetchLimits
  /** A round that is no end is followed by another on the same stream. */
  isStateful?: boolean
}

/** Versions 0 and 1: reads rounds of haves, yields ACK and NAK lines, returns true where the pack follows. */
export async function* negotiate(request: FetchRequest, options: RoundsOfHaves): AsyncGenerator<Buffer, boolean> {
  const state: NegotiationState = { lastCommon: undefined, isReady: false }
  for (;;) {
    const round = await readHaves(options.packets, options.limits)
    if (round.end === 'eof') return false
    yield* packets(await answerRound(request, round, state, options))
    if (round.end === 'done' || (request.noDone && state.isReady)) return true
    if (!options.isStateful) return false
  }
}

/** What lasts from round to round. */
interface NegotiationState {
  lastCommon: ObjectId | undefined
  isReady: boolean
}

async function answerRound(
  { ackMode, noDone }: FetchRequest,
  { haves, end }: HavesRound,
  state: NegotiationState,
  negotiation: Negotiation,
): Promise<string[]> {
  const { objects, common, signal } = negotiation
  const isDetailed = ackMode === 'multi_ack_detailed'
  const answer: string[] = []
  let hasCommon = false
  let hasUnknown = false
  const hidden = await findHidden(negotiation, haves)
  for (const id of haves) {
    const ordinal = hidden.has(id) ? -1 : locateId(objects, id)
    if (ordinal < 0) {
      hasUnknown = true
      if (ackMode === 'none' || !(await common.isEnough(signal))) continue
      // The client is told that it may stop, as if this object were common (git does the same).
      if (isDetailed) state.isReady = true
      answer.push(`ACK ${id} ${isDetailed ? 'ready' : 'continue'}\n`)
      continue
    }
    common.add(ordinal)
    if (isDetailed) answer.push(`ACK ${id} common\n`)
    else if (ackMode === 'multi_ack') answer.push(`ACK ${id} continue\n`)
    else if (state.lastCommon === undefined) answer.push(`ACK ${id}\n`)
    state.lastCommon = id
    hasCommon = true
  }
  if (end === 'flush') {
    if (isDetailed && hasCommon && !hasUnknown && (await common.isEnough(signal))) {
      state.isReady = true
      answer.push(`ACK ${state.lastCommon} ready\n`)
    }
    if (state.lastCommon === undefined || ackMode !== 'none') answer.push('NAK\n')
    return noDone && state.isReady ? [...answer, `ACK ${state.lastCommon}\n`] : answer
  }
  if (state.lastCommon === undefined) answer.push('NAK\n')
  // Without multi_ack the one ACK has been sent already.
  else if (ackMode !== 'none') answer.push(`ACK ${state.lastCommon}\n`)
  return answer
}

/** Version 2: yields the acknowledgments section, returns true where the pack follows. */
export async function* acknowledge(
  request: FetchRequest,
  { sections, ...negotiation }: Negotiation & { sections: SectionWriter },
): AsyncGenerator<Buffer, boolean> {
  const { objects, common, signal } = negotiation
  const acknowledged = new Set<ObjectId>()
  const hidden = await findHidden(negotiation, request.haves)
  for (const id of request.haves) {
    const ordinal = hidden.has(id) ? -1 : locateId(objects, id)
    if (ordinal < 0) continue
    acknowledged.add(id)
    common.add(ordinal)
  }
  if (request.isDone || request.haves.length === 0) return true
  const answer = [...acknowledged].map((id) => `ACK ${id}\n`)
  if (acknowledged.size === 0) answer.push('NAK\n')
  const isReady = !request.waitsForDone && (await common.isEnough(signal))
  if (isReady) answer.push('ready\n')
  yield* sections.write('acknowledgments', answer, { isLast: !isReady })
  return isReady
}

/** Haves that are answered as if they were not here. Tips need not be asked for. */
async function findHidden({ host, refs, objects }: Negotiation, haves: readonly ObjectId[]): Promise<Set<ObjectId>> {
  if (host.hiddenHaves === undefined) return new Set()
  const present = haves.filter((id) => locateId(objects, id) >= 0)
  const others = withoutTips(refs, present)
  return new Set(others.length > 0 ? await host.hiddenHaves(objects, refs, others) : [])
}

function* packets(lines: readonly string[]): Iterable<Buffer> {
  const linesPerChunk = 1_000
  for (let at = 0; at < lines.length; at += linesPerChunk) {
    yield Buffer.concat(lines.slice(at, at + linesPerChunk).map(dataPacket))
  }
}
