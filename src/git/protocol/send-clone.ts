/** Sends a clone by the clone pack: its bytes as they lie, then what came since, in one pack. */
import { createHash } from 'node:crypto'
import { packHeaderBytes, writePackHeader } from '../pack/format.ts'
import { OutgoingChunk } from '../pack/outgoing-chunk.ts'
import { writeEntries } from '../pack/writer.ts'
import type { ClonePlan } from './clone-plan.ts'
import type { PackAnswer } from './fetch-plan.ts'
import { flushPacket } from './pkt-line.ts'
import { bandPackets, dataBand } from './side-band.ts'
import { storedPackets } from './stored-packets.ts'

/** The pack in band 1, or plain without a side-band. */
export async function* sendClone(answer: PackAnswer, plan: ClonePlan): AsyncGenerator<Uint8Array> {
  const { sideBand } = answer.request
  const { pack, section, since } = plan
  const isWhole = section.end === pack.sections.blobs.end && since.length === 0
  if (isWhole) yield* storedPackets({ pack, start: 0, end: pack.sizeBytes, signal: answer.signal }, sideBand)
  else yield* sendParts(answer, plan)
  if (sideBand !== undefined) yield flushPacket
}

/**
 * A header and a trailer of its own stand around what is not the whole clone pack and nothing else. What is a section and
 * nothing else ends with a checksum that is known, where this was worked out.
 */
async function* sendParts({ objects, request, signal }: PackAnswer, { pack, section, since }: ClonePlan) {
  const { sideBand } = request
  const known = since.length === 0 ? section.checksum : undefined
  const hash = known === undefined ? createHash('sha1') : undefined
  const framed = (bytes: Uint8Array) => {
    return sideBand === undefined ? bytes : bandPackets(dataBand, bytes, sideBand)
  }
  const header = writePackHeader(section.objectCount + since.length)
  hash?.update(header)
  yield framed(header)
  yield* storedPackets({ pack, start: packHeaderBytes, end: section.end, hash, signal }, sideBand)
  // Behind it the stored offsets hold, so that what came since may be deltas against it.
  const entries = writeEntries(objects, objects.inStoredOrder(since), {
    ofsDelta: true,
    chunk: new OutgoingChunk(section.end),
    behind: { pack, end: section.end },
    signal,
  })
  for await (const bytes of entries) {
    hash?.update(bytes)
    yield framed(bytes)
  }
  yield framed(known ?? hash!.digest())
}
