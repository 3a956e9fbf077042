/** Serves a fetch: one request of git-upload-pack over a stateless transport, in versions 0, 1 and 2. */
import type { Limits } from '../../config.ts'
import { HoldfastError, isHoldfastError } from '../../errors.ts'
import type { FetchHost } from '../host.ts'
import type { ByteStream } from '../object-id.ts'
import type { ObjectDatabase, RefSnapshot } from '../repository.ts'
import { ClientHaves } from '../walk/client-haves.ts'
import type { ProtocolVersion } from './capabilities.ts'
import { type FetchPlan, planFetch } from './fetch-plan.ts'
import { type FetchRequest, parseCommand, parseFetchArguments, parseFetchRequest } from './fetch-request.ts'
import { parseLsRefsArguments, writeLsRefsResponse } from './ls-refs.ts'
import { acknowledge, acknowledgeVersion2 } from './negotiation.ts'
import { dataPacket, delimPacket, errorPacket, flushPacket, PacketReader } from './pkt-line.ts'
import { sendPack } from './send-pack.ts'

export interface UploadPackOptions {
  version: ProtocolVersion
  limits: Limits
  /** Fires when the client has gone. */
  signal: AbortSignal
}

/**
 * Answers one request. What the caller did wrong becomes an ERR packet, or a line of side-band 3 once the pack has begun;
 * defects are thrown.
 */
export async function* uploadPack(
  host: FetchHost,
  request: ByteStream,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array> {
  const packets = new PacketReader(request, options.limits.gitRequestInflatedMaxBytes)
  try {
    yield* options.version === 2 ? serveCommand(host, packets, options) : serveFetch(host, packets, options)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    yield errorPacket(error.message)
  }
}

async function* serveFetch(host: FetchHost, packets: PacketReader, options: UploadPackOptions) {
  const request = await parseFetchRequest(packets, options.limits)
  if (request === undefined) return
  yield* withPlan(host, request, (objects, refs, plan) => answerFetch({ objects, refs, request, plan, ...options }))
}

async function* serveCommand(host: FetchHost, packets: PacketReader, options: UploadPackOptions) {
  const asked = await parseCommand(packets)
  if (asked === undefined) return
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

async function* answerFetch(fetch: Fetch): AsyncGenerator<Uint8Array> {
  const { request, plan, objects, signal } = fetch
  const common = new ClientHaves(plan.graph, plan.wants)
  if (request.depth !== undefined) yield Buffer.concat([...boundaryPackets(objects, plan), flushPacket])
  if (yield* acknowledge(request, { objects, common, signal })) yield* sendPack({ ...fetch, haves: common.ordinals })
}

async function* answerVersion2(fetch: Fetch): AsyncGenerator<Uint8Array> {
  const { request, plan, objects, signal } = fetch
  const common = new ClientHaves(plan.graph, plan.wants)
  const isPackNext = yield* acknowledgeVersion2(request, { objects, common, signal })
  if (!isPackNext) {
    yield flushPacket
    return
  }
  if (request.havesEnd !== 'done' && request.haves.length > 0) yield delimPacket
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
