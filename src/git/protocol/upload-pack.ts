/**
 * Serves git-upload-pack in versions 0, 1 and 2: one request over a stateless transport (HTTP), or a whole conversation
 * over one that keeps its state (standard input and output), behind an advertisement that the caller has written.
 */
import { Readable } from 'node:stream'
import { HoldfastError, isHoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { FetchHost } from '../host.ts'
import type { ByteStream } from '../object-id.ts'
import { ClientHaves } from '../walk/client-haves.ts'
import type { Boundary } from '../walk/shallow.ts'
import { readNoArguments, writeBundleList } from './bundle-uri.ts'
import { allOffers, type ProtocolVersion } from './capabilities.ts'
import { clientNotes, parseCommand } from './command.ts'
import { deepenedBy, type FetchPlan, planBoundary, planFetch } from './fetch-plan.ts'
import { type FetchGrammar, type FetchRequest, isDeepening, parseFetchArguments, parseWants } from './fetch-request.ts'
import type { FetchScene } from './fetch-scene.ts'
import { linkClone } from './link-clone.ts'
import { parseLsRefsArguments, writeLsRefsResponse } from './ls-refs.ts'
import { acknowledge, negotiate } from './negotiation.ts'
import { parseObjectInfoArguments, writeObjectInfo } from './object-info.ts'
import { dataPacket, errorPacket, flushPacket, PacketReader } from './pkt-line.ts'
import { SectionWriter } from './sections.ts'
import { sendPack } from './send-pack.ts'
import { bandPackets, errorBand, largeSideBand } from './side-band.ts'

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
    if (!isToldToClient(error)) throw error
    yield errorPacket(error.message)
  }
}

/** Defects are not; and a host that is busy has said nothing yet: the transport tells it in its own way. */
function isToldToClient(error: unknown): error is HoldfastError {
  return isHoldfastError(error) && error.code !== 'RateLimited'
}

async function* serveFetch(host: FetchHost, packets: PacketReader, options: UploadPackOptions) {
  const request = await parseWants(packets, grammarOf(host, options))
  if (request === undefined) return
  host.noteClient?.(clientNotes(request.capabilities))
  yield* withPlan(host, request, options, (scene, plan) =>
    answerFetch({ ...scene, ...options, request, plan, packets }),
  )
}

/** Answers one command of version 2; false where the client has none left. */
async function* serveCommand(
  host: FetchHost,
  packets: PacketReader,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array, boolean> {
  const asked = await parseCommand(packets, options.limits)
  if (asked === undefined) return false
  host.noteClient?.(asked.notes)
  // Without arguments the flush has been read already.
  const args = asked.hasArguments ? packets : noArguments()
  if (asked.command === 'ls-refs') {
    const request = await parseLsRefsArguments(args, options.limits)
    yield* writeLsRefsResponse(await host.refs(), request)
  } else if (asked.command === 'object-info') {
    yield* writeObjectInfo(host, await parseObjectInfoArguments(args, options.limits))
  } else if (asked.command === 'bundle-uri') {
    if (!grammarOf(host, options).offers.cloneLinks) throw notOffered(asked.command)
    await readNoArguments(args)
    yield* writeBundleList(host, options.signal)
  } else {
    return yield* serveFetchCommand(host, await parseFetchArguments(args, grammarOf(host, options)), options)
  }
  return true
}

async function* serveFetchCommand(
  host: FetchHost,
  request: FetchRequest,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array, boolean> {
  try {
    yield* withPlan(host, request, options, (scene, plan) => answerVersion2({ ...scene, request, plan }))
    return true
  } catch (error) {
    // Where everything is multiplexed an ERR packet would not be understood.
    if (!request.isSidebandAll || !isToldToClient(error)) throw error
    yield bandPackets(errorBand, error.message, largeSideBand)
    return false
  }
}

function notOffered(command: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message: `invalid command '${command}'` })
}

function noArguments(): PacketReader {
  return new PacketReader(Readable.from([flushPacket]), flushPacket.length)
}

function grammarOf(host: FetchHost, { limits }: UploadPackOptions): FetchGrammar {
  return { limits, offers: host.offers ?? allOffers }
}

interface Fetch extends FetchScene {
  request: FetchRequest
  plan: FetchPlan
}

/** Opens the objects, checks the wants, and streams what `answer` makes of it. */
async function* withPlan(
  host: FetchHost,
  request: FetchRequest,
  { limits, signal }: UploadPackOptions,
  answer: (scene: FetchScene, plan: FetchPlan) => ByteStream,
): AsyncGenerator<Uint8Array> {
  const refs = await host.refs()
  yield* host.streamObjects(async function* (objects) {
    const scene = { host, objects, refs, limits, signal }
    yield* answer(scene, await planFetch(scene, request))
  })
}

async function* answerFetch(
  fetch: Fetch & Pick<UploadPackOptions, 'isStateful'> & { packets: PacketReader },
): AsyncGenerator<Uint8Array> {
  const { request, plan } = fetch
  const boundary = await planBoundary(fetch, plan, request)
  const common = new ClientHaves(plan.graph, [...plan.wants, ...deepenedBy(boundary, plan)])
  // A client that keeps the connection reads this before it sends its haves.
  if (isDeepening(request)) yield Buffer.concat([...boundaryLines(fetch, boundary).map(dataPacket), flushPacket])
  if (yield* negotiate(request, { ...fetch, common })) yield* sendPack({ ...fetch, boundary, haves: common.ordinals })
}

async function* answerVersion2(fetch: Fetch): AsyncGenerator<Uint8Array> {
  const { request, plan } = fetch
  const sections = new SectionWriter(request)
  if (plan.wants.length === 0 && !request.waitsForDone) return
  const common = new ClientHaves(plan.graph, plan.wants)
  if (!(yield* acknowledge(request, { ...fetch, common, sections }))) {
    yield flushPacket
    return
  }
  const wantedRefs = plan.wantedRefs.map(({ id, name }) => `${id} ${name}\n`)
  // What is common was settled on the whole history, as in git.
  const boundary = await planBoundary(fetch, plan, request)
  // In the manual's order. git's own server writes them the other way round, and its client cannot read that.
  yield* sections.write('shallow-info', boundaryLines(fetch, boundary))
  yield* sections.write('wanted-refs', wantedRefs)
  const answer = { ...fetch, boundary, haves: common.ordinals }
  const linked = await linkClone(answer)
  if (linked !== undefined) yield* sections.write('packfile-uris', [`${linked.checksum} ${linked.uri}\n`])
  yield sections.begin('packfile')
  yield* sendPack(answer, linked?.since)
}

/** Where this repository's own history ends, the client's does as well; a deepening has found which of that it meets. */
function boundaryLines({ host, objects, request }: Fetch, boundary: Boundary): string[] {
  const own = isDeepening(request) ? [] : (host.shallowIds ?? [])
  const shallow = [
    ...boundary.shallow.map((commit) => objects.idOf(commit)),
    ...own.filter((id) => !request.shallow.includes(id)),
  ]
  const unshallow = boundary.unshallow.map((commit) => objects.idOf(commit))
  return [...shallow.map((id) => `shallow ${id}\n`), ...unshallow.map((id) => `unshallow ${id}\n`)]
}
