/** What a client asks for in git-upload-pack: versions 0 and 1 (gitprotocol-pack) and 2 (gitprotocol-v2) as one value. */
import type { Limits } from '../../config.ts'
import { HoldfastError } from '../../errors.ts'
import { type ObjectId, parseObjectId } from '../object-id.ts'
import { addCapability, type Capabilities, parseCapabilities } from './capabilities.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'
import { largeSideBand, type SideBand, smallSideBand } from './side-band.ts'

/** How haves are acknowledged in versions 0 and 1. */
export type AckMode = 'none' | 'multi_ack' | 'multi_ack_detailed'

export interface FetchRequest {
  wants: ObjectId[]
  /** In version 2; in versions 0 and 1 they come in rounds of their own: `readHaves`. */
  haves: ObjectId[]
  /** In version 2: the pack is to follow whatever is common. */
  isDone: boolean
  /** Where the client's history ends. */
  shallow: ObjectId[]
  depth: number | undefined
  isDepthRelative: boolean
  ackMode: AckMode
  /** The pack may follow `ready` at once, without another round. */
  noDone: boolean
  sideBand: SideBand
  thinPack: boolean
  ofsDelta: boolean
  includeTag: boolean
  noProgress: boolean
}

export type FetchLimits = Pick<Limits, 'gitWantsMax' | 'gitHavesMax' | 'gitDepthMax'>

function emptyFetchRequest(): FetchRequest {
  return {
    wants: [],
    haves: [],
    isDone: false,
    shallow: [],
    depth: undefined,
    isDepthRelative: false,
    ackMode: 'none',
    noDone: false,
    sideBand: undefined,
    thinPack: false,
    ofsDelta: false,
    includeTag: false,
    noProgress: false,
  }
}

/** A round of haves: `flush` asks for an answer, `eof` is a request that only wants the shallow boundary. */
export interface HavesRound {
  haves: ObjectId[]
  end: 'done' | 'flush' | 'eof'
}

/** Parses what a client of version 0 or 1 wants; undefined where that is nothing. Throws InputInvalid, InputTooLarge, InputTruncated. */
export async function parseWants(packets: PacketReader, limits: FetchLimits): Promise<FetchRequest | undefined> {
  const request = emptyFetchRequest()
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) addWantLine(request, lineOf(packet), limits)
  if (request.wants.length === 0) return undefined
  if (packet !== 'flush') throw new HoldfastError('InputTruncated')
  return request
}

/** Reads the next round of a version 0 or 1 negotiation. Throws as `parseWants`. */
export async function readHaves(packets: PacketReader, limits: FetchLimits): Promise<HavesRound> {
  const haves: ObjectId[] = []
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) {
    const line = lineOf(packet)
    if (line === 'done') return { haves, end: 'done' }
    if (!line.startsWith('have ')) throw unexpected(line)
    addId(haves, line.slice('have '.length), limits.gitHavesMax)
  }
  if (packet === undefined && haves.length > 0) throw new HoldfastError('InputTruncated')
  return { haves, end: packet === undefined ? 'eof' : 'flush' }
}

/** Parses the arguments of version 2's `fetch`, up to its flush. Throws as `parseWants`. */
export async function parseFetchArguments(packets: PacketReader, limits: FetchLimits): Promise<FetchRequest> {
  const request: FetchRequest = { ...emptyFetchRequest(), sideBand: largeSideBand }
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) addArgument(request, lineOf(packet), limits)
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  return request
}

/** Reads version 2's command and capabilities, up to the delimiter or flush. Undefined for an empty request. */
export async function parseCommand(
  packets: PacketReader,
): Promise<{ command: string; capabilities: Capabilities; hasArguments: boolean } | undefined> {
  const capabilities = new Map<string, string>()
  let packet = await packets.read()
  if (packet === undefined || packet === 'flush') return undefined
  for (; packet instanceof Buffer; packet = await packets.read()) addCapability(capabilities, lineOf(packet))
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  const command = capabilities.get('command')
  if (command === undefined) throw invalid('no command requested')
  return { command, capabilities, hasArguments: packet === 'delim' }
}

function addWantLine(request: FetchRequest, line: string, limits: FetchLimits): void {
  if (addBoundaryLine(request, line, limits)) return
  if (!line.startsWith('want ')) throw unexpected(line)
  const split = line.indexOf(' ', 'want '.length)
  const id = split < 0 ? line.slice('want '.length) : line.slice('want '.length, split)
  if (split >= 0 && request.wants.length === 0) applyCapabilities(request, parseCapabilities(line.slice(split)))
  addId(request.wants, id, limits.gitWantsMax)
}

function applyCapabilities(request: FetchRequest, asked: Capabilities): void {
  if (asked.has('multi_ack_detailed')) request.ackMode = 'multi_ack_detailed'
  else if (asked.has('multi_ack')) request.ackMode = 'multi_ack'
  if (asked.has('side-band-64k')) request.sideBand = largeSideBand
  else if (asked.has('side-band')) request.sideBand = smallSideBand
  request.noDone = asked.has('no-done')
  request.thinPack = asked.has('thin-pack')
  request.ofsDelta = asked.has('ofs-delta')
  request.includeTag = asked.has('include-tag')
  request.noProgress = asked.has('no-progress')
  request.isDepthRelative = asked.has('deepen-relative')
}

function addArgument(request: FetchRequest, line: string, limits: FetchLimits): void {
  if (addBoundaryLine(request, line, limits)) return
  if (line.startsWith('want ')) addId(request.wants, line.slice('want '.length), limits.gitWantsMax)
  else if (line.startsWith('have ')) addId(request.haves, line.slice('have '.length), limits.gitHavesMax)
  else if (line === 'done') request.isDone = true
  else if (line === 'thin-pack') request.thinPack = true
  else if (line === 'ofs-delta') request.ofsDelta = true
  else if (line === 'include-tag') request.includeTag = true
  else if (line === 'no-progress') request.noProgress = true
  else if (line === 'deepen-relative') request.isDepthRelative = true
  else throw unexpected(line)
}

/** `shallow` and `deepen` lines, which both versions write alike. */
function addBoundaryLine(request: FetchRequest, line: string, limits: FetchLimits): boolean {
  if (line.startsWith('shallow ')) {
    addId(request.shallow, line.slice('shallow '.length), limits.gitHavesMax)
    return true
  }
  if (!line.startsWith('deepen ')) return false
  const depth = /^deepen ([0-9]{1,10})$/.exec(line)?.[1]
  if (depth === undefined || Number(depth) > limits.gitDepthMax) throw invalid(`invalid deepen: ${line}`)
  // As in git, a depth of 0 asks for nothing.
  request.depth = Number(depth) === 0 ? undefined : Number(depth)
  return true
}

function addId(ids: ObjectId[], text: string, maxCount: number): void {
  const id = parseObjectId(text)
  if (id === undefined) throw invalid(`invalid object id '${text.slice(0, 80)}'`)
  if (ids.length >= maxCount) throw new HoldfastError('InputTooLarge')
  ids.push(id)
}

function unexpected(line: string): HoldfastError {
  return invalid(`unexpected line: '${line.slice(0, 80)}'`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
