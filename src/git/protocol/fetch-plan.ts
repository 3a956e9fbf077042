/** A fetch request against what exists: wants that may be had, and where the client's history ends. */
import { HoldfastError } from '../../errors.ts'
import type { FetchHost } from '../host.ts'
import type { ObjectId } from '../object-id.ts'
import { expandRef, findRefId } from '../ref-lookup.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../repository.ts'
import { CommitGraph, peel } from '../walk/commit-graph.ts'
import type { ObjectFilter } from '../walk/object-filter.ts'
import { type Boundary, findBoundary } from '../walk/shallow.ts'
import { type FetchRequest, isDeepening } from './fetch-request.ts'
import type { FetchScene } from './fetch-scene.ts'
import { readSparseFilter } from './sparse-blob.ts'

export interface FetchPlan {
  graph: CommitGraph
  wants: readonly Ordinal[]
  /** What the refs wanted by name stand for. */
  wantedRefs: readonly { name: string; id: ObjectId }[]
  /** Where the client's history ends. */
  clientShallow: readonly Ordinal[]
  /** Tips of the history that is not wanted. */
  deepenNot: readonly ObjectId[]
  filter: ObjectFilter | undefined
}

/** Everything that decides which pack is sent. */
export interface PackAnswer {
  host: Pick<FetchHost, 'packSender' | 'cloneLinks'>
  objects: ObjectDatabase
  refs: RefSnapshot
  request: FetchRequest
  plan: FetchPlan
  /** Where the plan's graph has been cut. */
  boundary: Boundary
  /** What the client has. */
  haves: readonly Ordinal[]
  signal: AbortSignal
}

/** Throws InputInvalid for what the caller may not have, or what does not exist. */
export async function planFetch(scene: FetchScene, request: FetchRequest): Promise<FetchPlan> {
  const { objects, refs } = scene
  const wantedRefs = request.wantedRefs.map((name) => ({ name, id: requireRef(refs, name) }))
  await checkWants(scene, request.wants)
  const deepenNot = request.deepenNot.map((name) => requireOneRef(refs, name))
  const wants = [...request.wants, ...wantedRefs.map(({ id }) => id)].map((id) => locateId(objects, id))
  const clientShallow = await locateShallow(scene, request)
  const filter = request.filter && (await readSparseFilter(scene, request.filter))
  return { graph: new CommitGraph(objects), wants, wantedRefs, deepenNot, clientShallow, filter }
}

function requireRef(refs: RefSnapshot, name: string): ObjectId {
  const id = findRefId(refs, name)
  if (id === undefined) throw invalid(`unknown ref ${name.slice(0, 256)}`)
  return id
}

async function checkWants({ host, objects, refs }: FetchScene, wants: readonly ObjectId[]) {
  const absent = wants.find((id) => locateId(objects, id) < 0)
  if (absent !== undefined) throw notOurs(absent)
  const others = withoutTips(refs, wants)
  if (others.length === 0) return
  const [refused] = await host.refusedWants(objects, refs, others)
  if (refused !== undefined) throw notOurs(refused)
}

/** Those of `ids` for which neither HEAD nor a ref stands. */
export function withoutTips({ headId, refs }: RefSnapshot, ids: Iterable<ObjectId>): ObjectId[] {
  return refs.withoutTips(ids).filter((id) => id !== headId)
}

/**
 * Commits that the server does not know are passed over: they say nothing about what it can send. So are those that the
 * caller may not know of: the history behind them would be sent to who deepens. Without that only what is no commit is
 * asked for, since it is told by name, and a cut where the caller sees nothing changes nothing.
 */
async function locateShallow({ host, objects, refs }: FetchScene, request: FetchRequest): Promise<Ordinal[]> {
  const isCommit = (id: ObjectId) => objects.stat(locateId(objects, id)).type === 'commit'
  const located = new Set(request.shallow.filter((id) => locateId(objects, id) >= 0))
  const doubtful = isDeepening(request) ? [...located] : [...located].filter((id) => !isCommit(id))
  const others = withoutTips(refs, doubtful)
  const hidden = others.length > 0 ? await host.hiddenShallow?.(objects, refs, others) : undefined
  for (const id of hidden ?? []) located.delete(id)
  const wrong = [...located].find((id) => !isCommit(id))
  if (wrong !== undefined) throw invalid(`invalid shallow object ${wrong}`)
  return [...located].map((id) => locateId(objects, id))
}

/** Where the client's history will end. From now on the plan's graph is cut there, and where it ends already. */
export async function planBoundary(
  { host, objects, refs, signal }: FetchScene,
  plan: FetchPlan,
  request: FetchRequest,
): Promise<Boundary> {
  const { graph, wants, clientShallow, deepenNot } = plan
  const { depth, isDepthRelative, deepenSinceSeconds } = request
  const tips = isDepthRelative ? [...(refs.headId ? [refs.headId] : []), ...refs.refs.ids()] : []
  const boundary = isDeepening(request)
    ? await findBoundary(graph, {
        wants: commitsAt(objects, wants),
        clientShallow,
        tips: commitsAt(objects, locateAll(objects, tips)),
        ownEnds: new Set(locateAll(objects, host.shallowIds ?? [])),
        deepening: {
          depth,
          isRelative: isDepthRelative,
          sinceSeconds: deepenSinceSeconds,
          not: commitsAt(objects, locateAll(objects, deepenNot)),
        },
        signal,
      })
    : { shallow: [], unshallow: [] }
  graph.cut(cutsOf(boundary, plan))
  return boundary
}

/** Where the plan's graph is cut. */
export function cutsOf({ shallow }: Boundary, { clientShallow }: FetchPlan): Ordinal[] {
  return [...clientShallow, ...shallow]
}

/** Parents of the former ends of the client's history: they are wanted as well. */
export function deepenedBy({ unshallow }: Boundary, { graph }: FetchPlan): Ordinal[] {
  return unshallow.flatMap((commit) => graph.trueParentsOf(commit))
}

function locateAll(objects: ObjectDatabase, ids: readonly ObjectId[]): Ordinal[] {
  return ids.map((id) => locateId(objects, id)).filter((ordinal) => ordinal >= 0)
}

function requireOneRef(refs: RefSnapshot, name: string): ObjectId {
  const found = expandRef(refs, name)
  if (found.length !== 1) throw invalid(`ambiguous deepen-not: ${name.slice(0, 256)}`)
  return found[0]
}

function commitsAt(objects: ObjectDatabase, ordinals: readonly Ordinal[]): Ordinal[] {
  const targets = ordinals.map((ordinal) => peel(objects, ordinal))
  return targets.filter((target) => objects.stat(target).type === 'commit')
}

function notOurs(id: ObjectId): HoldfastError {
  return invalid(`upload-pack: not our ref ${id}`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
