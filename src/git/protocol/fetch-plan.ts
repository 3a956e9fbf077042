/** A fetch request against what exists: wants that may be had, and where the client's history ends. */
import { HoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { FetchHost } from '../host.ts'
import type { ObjectId } from '../object-id.ts'
import { expandRef, findRefId } from '../ref-lookup.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../repository.ts'
import { CommitGraph, peel } from '../walk/commit-graph.ts'
import type { ObjectFilter } from '../walk/object-filter.ts'
import { type Boundary, findBoundary } from '../walk/shallow.ts'
import { type FetchRequest, isDeepening } from './fetch-request.ts'
import { readSparseFilter } from './sparse-blob.ts'

export interface FetchPlan {
  /** Cut where the client's history ends and will end. */
  graph: CommitGraph
  wants: readonly Ordinal[]
  /** What the refs wanted by name stand for. */
  wantedRefs: readonly { name: string; id: ObjectId }[]
  /** Parents of commits that end the client's history no longer: to be sent as well. */
  deepened: readonly Ordinal[]
  boundary: Boundary
  /** Where the graph is cut. */
  cuts: readonly Ordinal[]
  filter: ObjectFilter | undefined
}

/** Everything that decides which pack is sent. */
export interface PackAnswer {
  host: Pick<FetchHost, 'packSender'>
  objects: ObjectDatabase
  refs: RefSnapshot
  request: FetchRequest
  plan: FetchPlan
  /** What the client has. */
  haves: readonly Ordinal[]
  signal: AbortSignal
}

/** What a fetch is planned on. */
export interface FetchScene {
  host: FetchHost
  objects: ObjectDatabase
  /** Those that the caller may see. */
  refs: RefSnapshot
  limits: Limits
  signal: AbortSignal
}

/** Throws InputInvalid for what the caller may not have, or what does not exist. */
export async function planFetch(scene: FetchScene, request: FetchRequest): Promise<FetchPlan> {
  const { objects, refs } = scene
  const wantedRefs = request.wantedRefs.map((name) => ({ name, id: requireRef(refs, name) }))
  await checkWants(scene, request.wants)
  const graph = new CommitGraph(objects)
  const wants = [...request.wants, ...wantedRefs.map(({ id }) => id)].map((id) => locateId(objects, id))
  const clientShallow = locateShallow(objects, request.shallow)
  const boundary = await planBoundary(scene, graph, { wants, clientShallow, request })
  const deepened = boundary.unshallow.flatMap((commit) => graph.trueParentsOf(commit))
  const cuts = [...clientShallow, ...boundary.shallow]
  graph.cut(cuts)
  const filter = request.filter && (await readSparseFilter(scene, request.filter))
  return { graph, wants, wantedRefs, deepened, boundary, cuts, filter }
}

function requireRef(refs: RefSnapshot, name: string): ObjectId {
  const id = findRefId(refs, name)
  if (id === undefined) throw invalid(`unknown ref ${name.slice(0, 256)}`)
  return id
}

async function checkWants({ host, objects, refs }: FetchScene, wants: readonly ObjectId[]) {
  const absent = wants.find((id) => locateId(objects, id) < 0)
  if (absent !== undefined) throw notOurs(absent)
  const others = new Set(wants)
  if (refs.headId !== undefined) others.delete(refs.headId)
  for (const { id, peeledId } of refs.refs) {
    if (others.size === 0) return
    others.delete(id)
    if (peeledId !== undefined) others.delete(peeledId)
  }
  if (others.size === 0) return
  const [refused] = await host.refusedWants(objects, refs, [...others])
  if (refused !== undefined) throw notOurs(refused)
}

/** Commits that the server does not know are passed over: they say nothing about what it can send. */
function locateShallow(objects: ObjectDatabase, ids: readonly ObjectId[]): Ordinal[] {
  const commits = [...new Set(ids)].map((id) => locateId(objects, id)).filter((ordinal) => ordinal >= 0)
  const other = commits.find((ordinal) => objects.stat(ordinal).type !== 'commit')
  if (other === undefined) return commits
  throw invalid(`invalid shallow object ${objects.idOf(other)}`)
}

interface BoundaryQuestion {
  wants: readonly Ordinal[]
  clientShallow: readonly Ordinal[]
  request: FetchRequest
}

async function planBoundary(
  { objects, refs, signal }: FetchScene,
  graph: CommitGraph,
  { wants, clientShallow, request }: BoundaryQuestion,
): Promise<Boundary> {
  if (!isDeepening(request)) return { shallow: [], unshallow: [] }
  const { depth, isDepthRelative, deepenSinceSeconds, deepenNot } = request
  const commitsOf = (ids: readonly ObjectId[]) =>
    commitsAt(
      objects,
      ids.map((id) => locateId(objects, id)),
    )
  return await findBoundary(graph, {
    wants: commitsAt(objects, wants),
    clientShallow,
    tips: isDepthRelative ? commitsOf([...(refs.headId ? [refs.headId] : []), ...refs.refs.map(({ id }) => id)]) : [],
    deepening: {
      depth,
      isRelative: isDepthRelative,
      sinceSeconds: deepenSinceSeconds,
      not: commitsOf(deepenNot.map((name) => requireOneRef(refs, name))),
    },
    signal,
  })
}

function requireOneRef(refs: RefSnapshot, name: string): ObjectId {
  const found = expandRef(refs, name)
  if (found.length !== 1) throw invalid(`ambiguous deepen-not: ${name.slice(0, 256)}`)
  return found[0]
}

function commitsAt(objects: ObjectDatabase, ordinals: readonly Ordinal[]): Ordinal[] {
  const targets = ordinals.filter((ordinal) => ordinal >= 0).map((ordinal) => peel(objects, ordinal))
  return targets.filter((target) => objects.stat(target).type === 'commit')
}

function notOurs(id: ObjectId): HoldfastError {
  return invalid(`upload-pack: not our ref ${id}`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
