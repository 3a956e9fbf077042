/** Serves a push: one request of git-receive-pack over a stateless transport, in version 0 (or 1, which is the same here). */
import type { Limits } from '../../config.ts'
import { isHoldfastError } from '../../errors.ts'
import type { PushHost, PushReport } from '../host.ts'
import type { ByteStream } from '../object-id.ts'
import type { RefResult } from '../repository.ts'
import { errorPacket, flushPacket, PacketReader } from './pkt-line.ts'
import { ProgressChannel } from './progress.ts'
import { emptyPushHead, type PushHead, parsePushHead, refuseNames } from './push-request.ts'
import { writeReport } from './report-status.ts'
import { bandPackets, dataBand, errorBand } from './side-band.ts'

export interface ReceivePackOptions {
  limits: Limits
  /** Fires when the client has gone. */
  signal: AbortSignal
  /**
   * The stream is a connection whose client reads while it sends, and ends its side behind a pack only: standard input and
   * output. Otherwise it is the body of a request, read to its end before the answer is written.
   */
  isStateful?: boolean
}

/**
 * Answers one request; `host.push` is called once, or not at all where nothing is left to ask it. The body is read to its
 * end before the report is written, since clients listen only then. Defects are told in band 3 and thrown.
 */
export async function* receivePack(
  host: PushHost,
  request: ByteStream,
  { limits, signal, isStateful = false }: ReceivePackOptions,
): AsyncGenerator<Uint8Array> {
  const packets = new PacketReader(request, limits.gitRequestInflatedMaxBytes)
  const head = emptyPushHead()
  try {
    await parsePushHead(packets, limits, head)
    // git tries the way with an empty request before it sends a large one.
    if (head.commands.length > 0) yield* servePush(host, { packets, head, limits, signal, isStateful })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (!isStateful) await packets.drain(limits.gitPackMaxBytes)
    yield fatal(head, error.message)
  }
}

interface Push {
  packets: PacketReader
  head: PushHead
  limits: Limits
  signal: AbortSignal
  isStateful: boolean
}

async function* servePush(host: PushHost, push: Push): AsyncGenerator<Uint8Array> {
  const { packets, head, limits, isStateful } = push
  const progress = new ProgressChannel(head.sideBand)
  const left = new AbortController()
  const working = runPush(host, { ...push, signal: AbortSignal.any([push.signal, left.signal]) }, progress)
  try {
    // Nothing is written while the client still sends: not every proxy carries both directions at once.
    const report = yield* progress.until(working, {
      stop: () => left.abort(),
      mayWrite: () => isStateful || packets.ended,
    })
    const isPackSent = head.commands.some(({ newId }) => newId !== undefined)
    if (isPackSent || !isStateful) await packets.drain(limits.gitPackMaxBytes)
    yield* writeAnswer(head, report)
  } catch (error) {
    if (!isHoldfastError(error) && head.sideBand !== undefined) yield fatal(head, 'The server failed.')
    throw error
  }
}

async function runPush(
  host: PushHost,
  { packets, head, limits, signal }: Push,
  progress: ProgressChannel,
): Promise<PushReport> {
  const { commands, atomic, pushOptions, shallowIds, certificate, isQuiet } = head
  const refused = new Map(refuse(head, limits).map((result) => [result.name, result]))
  const accepted = commands.filter(({ name }) => !refused.has(name))
  const isFutile = accepted.length === 0 || (atomic && refused.size > 0)
  const report = isFutile
    ? { unpack: 'ok', results: accepted.map(({ name }) => ({ name, reason: 'atomic push failure' })) }
    : await host.push({
        commands: accepted,
        atomic,
        pushOptions,
        shallowIds,
        certificate,
        pack: accepted.some(({ newId }) => newId !== undefined) ? packets.rest() : undefined,
        // A quiet client is spared the counters, which end in a carriage return; messages reach it, as those of git's hooks do.
        progress: (text) => {
          if (!isQuiet || !text.endsWith('\r')) progress.send(text)
        },
        signal,
      })
  return { unpack: report.unpack, results: inOrder(head, [...refused.values(), ...report.results]) }
}

function refuse({ commands, isConsistent }: PushHead, limits: Limits): RefResult[] {
  if (isConsistent) return refuseNames(commands, limits)
  return commands.map(({ name }) => ({ name, reason: 'inconsistent push options' }))
}

/** One result per command, in the client's order. */
function inOrder({ commands }: PushHead, results: readonly RefResult[]): RefResult[] {
  const byName = new Map(results.map((result) => [result.name, result]))
  const names = [...new Set(commands.map(({ name }) => name))]
  return names.map((name) => byName.get(name) ?? { name, reason: 'internal error' })
}

function* writeAnswer({ reportVersion, sideBand }: PushHead, report: PushReport): Iterable<Uint8Array> {
  const lines = reportVersion === undefined ? Buffer.alloc(0) : writeReport(report, reportVersion)
  if (sideBand === undefined) {
    yield lines
    return
  }
  yield Buffer.concat([bandPackets(dataBand, lines, sideBand), flushPacket])
}

function fatal({ sideBand }: PushHead, message: string): Buffer {
  return sideBand === undefined ? errorPacket(message) : bandPackets(errorBand, `${message}\n`, sideBand)
}
