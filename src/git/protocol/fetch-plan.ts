/** A fetch request against what exists: wants that may be had, and where the client's history ends. */
import { HoldfastError } from '../../errors.ts'
import type { FetchHost } from '../host.ts'
import type { ObjectId } from '../object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../repository.ts'
import { CommitGraph, peel } from '../walk/commit-graph.ts'
import { type Boundary, findBoundary } from '../walk/shallow.ts'
import type { FetchRequest } from './fetch-request.ts'

export interface FetchPlan {
  /** Cut where the client's history ends and will end. */
  graph: CommitGraph
  wants: readonly Ordinal[]
  /** Parents of commits that end the client's history no longer: to be sent as well. */
  deepened: readonly Ordinal[]
  boundary: Boundary
}

/** Throws InputInvalid for a want that the caller may not have, or that does not exist. */
export async function planFetch(
  host: FetchHost,
  objects: ObjectDatabase,
  refs: RefSnapshot,
  request: FetchRequest,
): Promise<FetchPlan> {
  await checkWants(host, objects, refs, request.wants)
  const graph = new CommitGraph(objects)
  const wants = request.wants.map((id) => locateId(objects, id))
  const clientShallow = locateShallow(objects, request.shallow)
  const boundary = await planBoundary(graph, wants, clientShallow, request)
  const deepened = boundary.unshallow.flatMap((commit) => graph.trueParentsOf(commit))
  graph.cut([...clientShallow, ...boundary.shallow])
  return { graph, wants, deepened, boundary }
}

async function checkWants(host: FetchHost, objects: ObjectDatabase, refs: RefSnapshot, wants: readonly ObjectId[]) {
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
  const commits = ids.map((id) => locateId(objects, id)).filter((ordinal) => ordinal >= 0)
  const other = commits.find((ordinal) => objects.stat(ordinal).type !== 'commit')
  if (other === undefined) return commits
  throw new HoldfastError('InputInvalid', { message: `invalid shallow object ${objects.idOf(other)}` })
}

async function planBoundary(
  graph: CommitGraph,
  wants: readonly Ordinal[],
  clientShallow: readonly Ordinal[],
  { depth, isDepthRelative }: FetchRequest,
): Promise<Boundary> {
  if (depth === undefined) return { shallow: [], unshallow: [] }
  const { objects } = graph
  const commits = wants.map((want) => peel(objects, want)).filter((target) => objects.stat(target).type === 'commit')
  return await findBoundary(graph, { wants: commits, clientShallow, depth, isRelative: isDepthRelative })
}

function notOurs(id: ObjectId): HoldfastError {
  return new HoldfastError('InputInvalid', { message: `upload-pack: not our ref ${id}` })
}
