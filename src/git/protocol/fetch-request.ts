/** What a client asks for in git-upload-pack: versions 0 and 1 (gitprotocol-pack) and 2 (gitprotocol-v2) as one value. */
import { HoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { FetchOffers } from '../host.ts'
import { type ObjectId, parseObjectId } from '../object-id.ts'
import { type Capabilities, parseCapabilities } from './capabilities.ts'
import { type FilterLimits, type FilterSpec, parseFilterSpec } from './filter-spec.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'
import { largeSideBand, type SideBand, smallSideBand } from './side-band.ts'

/** How haves are acknowledged in versions 0 and 1. */
export type AckMode = 'none' | 'multi_ack' | 'multi_ack_detailed'

export interface FetchRequest {
  wants: ObjectId[]
  /** Wants by the full name of a ref, in version 2. */
  wantedRefs: string[]
  /** In version 2; in versions 0 and 1 they come in rounds of their own: `readHaves`. */
  haves: ObjectId[]
  /** In version 2: the pack is to follow whatever is common. */
  isDone: boolean
  /** In version 2: it is not to follow before. */
  waitsForDone: boolean
  /** Where the client's history ends. */
  shallow: ObjectId[]
  depth: number | undefined
  isDepthRelative: boolean
  deepenSinceSeconds: number | undefined
  /** Refs, as people call them, whose history is not wanted. */
  deepenNot: string[]
  filter: FilterSpec | undefined
  ackMode: AckMode
  /** The pack may follow `ready` at once, without another round. */
  noDone: boolean
  sideBand: SideBand
  /** In version 2: what stands before the pack is multiplexed as well. */
  isSidebandAll: boolean
  thinPack: boolean
  ofsDelta: boolean
  includeTag: boolean
  noProgress: boolean
  /** Versions 0 and 1 tell here what version 2 tells beside the command. */
  capabilities: Capabilities
  /** In version 2: from where the client would download packs, as `https`. */
  uriProtocols: string[]
}

export type FetchLimits = Pick<Limits, 'gitWantsMax' | 'gitHavesMax' | 'gitDepthMax'> & FilterLimits

/** What the parser has to know. */
export interface FetchGrammar {
  limits: FetchLimits
  offers: FetchOffers
}

function emptyFetchRequest(): FetchRequest {
  return {
    wants: [],
    wantedRefs: [],
    haves: [],
    isDone: false,
    waitsForDone: false,
    shallow: [],
    depth: undefined,
    isDepthRelative: false,
    deepenSinceSeconds: undefined,
    deepenNot: [],
    filter: undefined,
    ackMode: 'none',
    noDone: false,
    sideBand: undefined,
    isSidebandAll: false,
    thinPack: false,
    ofsDelta: false,
    includeTag: false,
    noProgress: false,
    capabilities: new Map(),
    uriProtocols: [],
  }
}

/** True where the client asks for another end of its history. */
export function isDeepening({ depth, deepenSinceSeconds, deepenNot }: FetchRequest): boolean {
  return depth !== undefined || deepenSinceSeconds !== undefined || deepenNot.length > 0
}

/** A round of haves: `flush` asks for an answer, `eof` is a request that only wants the shallow boundary. */
export interface HavesRound {
  haves: ObjectId[]
  end: 'done' | 'flush' | 'eof'
}

/** Parses what a client of version 0 or 1 wants; undefined where that is nothing. Throws InputInvalid, InputTooLarge, InputTruncated. */
export async function parseWants(packets: PacketReader, grammar: FetchGrammar): Promise<FetchRequest | undefined> {
  const request = emptyFetchRequest()
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) addWantLine(request, lineOf(packet), grammar)
  if (request.wants.length === 0) return undefined
  if (packet !== 'flush') throw new HoldfastError('InputTruncated')
  checkDeepening(request)
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
export async function parseFetchArguments(packets: PacketReader, grammar: FetchGrammar): Promise<FetchRequest> {
  const request: FetchRequest = { ...emptyFetchRequest(), sideBand: largeSideBand }
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) addArgument(request, lineOf(packet), grammar)
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  if (packet !== 'flush') throw invalid('expected flush after fetch arguments')
  checkDeepening(request)
  return request
}

function addWantLine(request: FetchRequest, line: string, grammar: FetchGrammar): void {
  if (addBoundaryLine(request, line, grammar.limits)) return
  if (line.startsWith('filter ')) {
    if (!grammar.offers.filter || !request.capabilities.has('filter')) {
      throw invalid('filtering capability not negotiated')
    }
    addFilter(request, line, grammar.limits)
    return
  }
  if (!line.startsWith('want ')) throw unexpected(line)
  const split = line.indexOf(' ', 'want '.length)
  const id = split < 0 ? line.slice('want '.length) : line.slice('want '.length, split)
  if (split >= 0 && request.wants.length === 0) applyCapabilities(request, parseCapabilities(line.slice(split)))
  addId(request.wants, id, grammar.limits.gitWantsMax)
}

function applyCapabilities(request: FetchRequest, asked: Capabilities): void {
  request.capabilities = asked
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

const flags: Record<string, (request: FetchRequest) => void> = {
  done: (request) => (request.isDone = true),
  'wait-for-done': (request) => (request.waitsForDone = true),
  'thin-pack': (request) => (request.thinPack = true),
  'ofs-delta': (request) => (request.ofsDelta = true),
  'include-tag': (request) => (request.includeTag = true),
  'no-progress': (request) => (request.noProgress = true),
  'deepen-relative': (request) => (request.isDepthRelative = true),
}

function addArgument(request: FetchRequest, line: string, { limits, offers }: FetchGrammar): void {
  if (addBoundaryLine(request, line, limits)) return
  if (line.startsWith('want ')) addId(request.wants, line.slice('want '.length), limits.gitWantsMax)
  else if (line.startsWith('have ')) addId(request.haves, line.slice('have '.length), limits.gitHavesMax)
  else if (offers.refInWant && line.startsWith('want-ref ')) {
    addName(request.wantedRefs, line.slice('want-ref '.length), limits.gitWantsMax)
  } else if (offers.filter && line.startsWith('filter ')) addFilter(request, line, limits)
  else if (offers.cloneLinks && line.startsWith('packfile-uris ')) {
    request.uriProtocols = line.slice('packfile-uris '.length).split(',')
  } else if (offers.sidebandAll && line === 'sideband-all') request.isSidebandAll = true
  else if (Object.hasOwn(flags, line)) flags[line](request)
  else throw unexpected(line)
}

/** `shallow` and `deepen` lines, which both versions write alike. */
function addBoundaryLine(request: FetchRequest, line: string, limits: FetchLimits): boolean {
  const [keyword] = line.split(' ', 1)
  const value = line.slice(keyword.length + 1)
  if (keyword === 'shallow') addId(request.shallow, value, limits.gitHavesMax)
  else if (keyword === 'deepen') request.depth = parseNumber(line, value, limits.gitDepthMax)
  else if (keyword === 'deepen-since') request.deepenSinceSeconds = parseNumber(line, value, Number.MAX_SAFE_INTEGER)
  else if (keyword === 'deepen-not') addName(request.deepenNot, value, limits.gitWantsMax)
  else return false
  return true
}

function parseNumber(line: string, value: string, max: number): number {
  const isNumber = /^[0-9]{1,16}$/.test(value) && Number(value) > 0 && Number(value) <= max
  if (!isNumber) throw invalid(`invalid ${line.slice(0, 80).replace(' ', ': ')}`)
  return Number(value)
}

function checkDeepening({ depth, deepenSinceSeconds, deepenNot }: FetchRequest): void {
  if (depth === undefined || (deepenSinceSeconds === undefined && deepenNot.length === 0)) return
  throw invalid('deepen and deepen-since (or deepen-not) cannot be used together')
}

function addFilter(request: FetchRequest, line: string, limits: FetchLimits): void {
  if (request.filter !== undefined) throw invalid('multiple filter-specs cannot be combined')
  request.filter = parseFilterSpec(line.slice('filter '.length), limits)
}

function addName(names: string[], name: string, maxCount: number): void {
  if (names.length >= maxCount) throw new HoldfastError('InputTooLarge')
  names.push(name)
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
