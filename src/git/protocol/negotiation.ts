/** The haves of a fetch, answered: which are common, and whether the pack follows (gitprotocol-pack, gitprotocol-v2). */
import type { ObjectId } from '../object-id.ts'
import { locateId, type ObjectDatabase } from '../repository.ts'
import type { ClientHaves } from '../walk/client-haves.ts'
import type { FetchRequest } from './fetch-request.ts'
import { dataPacket } from './pkt-line.ts'

export interface Negotiation {
  objects: ObjectDatabase
  common: ClientHaves
  signal: AbortSignal
}

/** Versions 0 and 1: yields ACK and NAK lines, returns true where the pack follows. */
export async function* acknowledge(
  request: FetchRequest,
  { objects, common, signal }: Negotiation,
): AsyncGenerator<Buffer, boolean> {
  const { ackMode, haves, havesEnd } = request
  const isDetailed = ackMode === 'multi_ack_detailed'
  const answer: string[] = []
  let lastCommon: ObjectId | undefined
  let hasUnknown = false
  let isReady = false
  for (const id of haves) {
    const ordinal = locateId(objects, id)
    if (ordinal < 0) {
      hasUnknown = true
      if (ackMode === 'none' || !(await common.isEnough(signal))) continue
      // The client is told that it may stop, as if this object were common (git does the same).
      isReady = isDetailed
      answer.push(`ACK ${id} ${isDetailed ? 'ready' : 'continue'}\n`)
      continue
    }
    common.add(ordinal)
    if (isDetailed) answer.push(`ACK ${id} common\n`)
    else if (ackMode === 'multi_ack') answer.push(`ACK ${id} continue\n`)
    else if (lastCommon === undefined) answer.push(`ACK ${id}\n`)
    lastCommon = id
  }
  if (havesEnd === 'flush') {
    if (isDetailed && lastCommon !== undefined && !hasUnknown && (await common.isEnough(signal))) {
      isReady = true
      answer.push(`ACK ${lastCommon} ready\n`)
    }
    if (lastCommon === undefined || ackMode !== 'none') answer.push('NAK\n')
  }
  const isPackNext = havesEnd === 'done' || (havesEnd === 'flush' && request.noDone && isReady)
  if (isPackNext) answer.push(...finalLine(request, lastCommon))
  yield* packets(answer)
  return isPackNext
}

/** Version 2: yields the acknowledgments section without its end, returns true where the pack follows. */
export async function* acknowledgeVersion2(
  request: FetchRequest,
  { objects, common, signal }: Negotiation,
): AsyncGenerator<Buffer, boolean> {
  const acknowledged = new Set<ObjectId>()
  for (const id of request.haves) {
    const ordinal = locateId(objects, id)
    if (ordinal < 0) continue
    acknowledged.add(id)
    common.add(ordinal)
  }
  if (request.havesEnd === 'done' || request.haves.length === 0) return true
  const answer = ['acknowledgments\n', ...[...acknowledged].map((id) => `ACK ${id}\n`)]
  if (acknowledged.size === 0) answer.push('NAK\n')
  const isReady = await common.isEnough(signal)
  if (isReady) answer.push('ready\n')
  yield* packets(answer)
  return isReady
}

/** The line before the pack. Without multi_ack the one ACK has been sent already. */
function finalLine({ ackMode, havesEnd }: FetchRequest, lastCommon: ObjectId | undefined): string[] {
  if (lastCommon === undefined) return havesEnd === 'done' ? ['NAK\n'] : []
  return ackMode === 'none' ? [] : [`ACK ${lastCommon}\n`]
}

function* packets(lines: readonly string[]): Iterable<Buffer> {
  const linesPerChunk = 1_000
  for (let at = 0; at < lines.length; at += linesPerChunk) {
    yield Buffer.concat(lines.slice(at, at + linesPerChunk).map(dataPacket))
  }
}
