/**
 * Serves git-upload-pack in versions 0, 1 and 2: one request over a stateless transport (HTTP), or a whole conversation
 * over one that keeps its state (standard input and output), behind an advertisement that the caller has written.
 */
import type { Limits } from '../../config.ts'
import { HoldfastError, isHoldfastError } from '../../errors.ts'
import type { FetchHost } from '../host.ts'
import type { ByteStream } from '../object-id.ts'
import type { ObjectDatabase, RefSnapshot } from '../repository.ts'
import { ClientHaves } from '../walk/client-haves.ts'
import type { ProtocolVersion } from './capabilities.ts'
import { type FetchPlan, planFetch } from './fetch-plan.ts'
import { type FetchRequest, parseCommand, parseFetchArguments, parseWants } from './fetch-request.ts'
import { parseLsRefsArguments, writeLsRefsResponse } from './ls-refs.ts'
import { acknowledge, negotiate } from './negotiation.ts'
import { dataPacket, delimPacket, errorPacket, flushPacket, PacketReader } from './pkt-line.ts'
import { sendPack } from './send-pack.ts'

export interface UploadPackOptions {
  version: ProtocolVersion
  limits: Limits
  /** Fires when the client has gone. */
  signal: AbortSignal
  /**
   * The stream carries the conversation to its end: version 2 answers commands until a flush comes in place of one, versions
   * 0 and 1 remember what is common from round to round. Nothing is read before it is needed, and the end is not waited for.
   */
  isStateful?: boolean
}

/**
 * Answers what `request` asks. What the caller did wrong becomes an ERR packet, or a line of side-band 3 once the pack has begun;
 * defects are thrown.
 */
export async function* uploadPack(
  host: FetchHost,
  request: ByteStream,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array> {
  const packets = new PacketReader(request, options.limits.gitRequestInflatedMaxBytes)
  try {
    if (options.version !== 2) yield* serveFetch(host, packets, options)
    else while ((yield* serveCommand(host, packets, options)) && options.isStateful) packets.beginRequest()
  } catch (error) {
    // A host that is busy has said nothing yet: the transport tells it in its own way.
    if (!isHoldfastError(error) || error.code === 'RateLimited') throw error
    yield errorPacket(error.message)
  }
}

async function* serveFetch(host: FetchHost, packets: PacketReader, options: UploadPackOptions) {
  const request = await parseWants(packets, options.limits)
  if (request === undefined) return
  yield* withPlan(host, request, (objects, refs, plan) =>
    answerFetch({ objects, refs, request, plan, packets, ...options }),
  )
}

/** Answers one command of version 2; false where the client has none left. */
async function* serveCommand(
  host: FetchHost,
  packets: PacketReader,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array, boolean> {
  const asked = await parseCommand(packets)
  if (asked === undefined) return false
  if (asked.command === 'ls-refs') {
    const request = asked.hasArguments ? await parseLsRefsArguments(packets, options.limits) : emptyLsRefsRequest
    yield* writeLsRefsResponse(await host.refs(), request)
  } else if (asked.command === 'fetch') {
    const request = asked.hasArguments ? await parseFetchArguments(packets, options.limits) : undefined
    if (request === undefined || request.wants.length === 0) yield flushPacket
    else
      yield* withPlan(host, request, (objects, refs, plan) =>
        answerVersion2({ objects, refs, request, plan, ...options }),
      )
  } else {
    throw new HoldfastError('InputInvalid', { message: `unknown command '${asked.command.slice(0, 80)}'` })
  }
  return true
}

const emptyLsRefsRequest = { symrefs: false, peel: false, unborn: false, prefixes: [] }

interface Fetch {
  objects: ObjectDatabase
  refs: RefSnapshot
  request: FetchRequest
  plan: FetchPlan
  signal: AbortSignal
}

/** Opens the objects, checks the wants, and streams what `answer` makes of it. */
async function* withPlan(
  host: FetchHost,
  request: FetchRequest,
  answer: (objects: ObjectDatabase, refs: RefSnapshot, plan: FetchPlan) => ByteStream,
): AsyncGenerator<Uint8Array> {
  const refs = await host.refs()
  yield* host.streamObjects(async function* (objects) {
    yield* answer(objects, refs, await planFetch(host, objects, refs, request))
  })
}

async function* answerFetch(
  fetch: Fetch & Pick<UploadPackOptions, 'limits' | 'isStateful'> & { packets: PacketReader },
): AsyncGenerator<Uint8Array> {
  const { request, plan, objects } = fetch
  const common = new ClientHaves(plan.graph, plan.wants)
  // A client that keeps the connection reads this before it sends its haves.
  if (request.depth !== undefined) yield Buffer.concat([...boundaryPackets(objects, plan), flushPacket])
  if (yield* negotiate(request, { ...fetch, common })) yield* sendPack({ ...fetch, haves: common.ordinals })
}

async function* answerVersion2(fetch: Fetch): AsyncGenerator<Uint8Array> {
  const { request, plan, objects, signal } = fetch
  const common = new ClientHaves(plan.graph, plan.wants)
  const isPackNext = yield* acknowledge(request, { objects, common, signal })
  if (!isPackNext) {
    yield flushPacket
    return
  }
  if (!request.isDone && request.haves.length > 0) yield delimPacket
  if (request.depth !== undefined) {
    yield Buffer.concat([dataPacket('shallow-info\n'), ...boundaryPackets(objects, plan), delimPacket])
  }
  yield dataPacket('packfile\n')
  yield* sendPack({ ...fetch, haves: common.ordinals })
}

function boundaryPackets(objects: ObjectDatabase, { boundary }: FetchPlan): Buffer[] {
  return [
    ...boundary.shallow.map((commit) => dataPacket(`shallow ${objects.idOf(commit)}\n`)),
    ...boundary.unshallow.map((commit) => dataPacket(`unshallow ${objects.idOf(commit)}\n`)),
  ]
}
