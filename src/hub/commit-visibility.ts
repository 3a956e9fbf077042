/**
 * The one answer to "may this caller read this id" (design laws 8 and 9), for a caller who may read the repository: yes
 * while a ref leads to it, or a ref did within the retention window of the ref log. Asked for commits and annotated tags;
 * trees and blobs are reached through them.
 */
import { LRUCache } from 'lru-cache'
import type { Database, RepoId } from '../database/queryable.ts'
import { listRetainedIds } from '../database/ref-log.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../git/repository.ts'
import { findNonAncestors } from '../git/walk/ancestry.ts'
import { CommitGraph, peel } from '../git/walk/commit-graph.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { isRefVisible, visibilityClassOf } from './visible-refs.ts'

/**
 * Answers that were yes, for a while: what a ref leads to stays visible until a forced push, and after it for the whole
 * retention window, which is longer.
 */
const newVisible = () => new LRUCache<`${RepoId}/${string}/${ObjectId}`, true>({ max: 50_000, ttl: 600_000 })
/** Ids of repositories are those of one database. */
const visibleOf = new WeakMap<Database, ReturnType<typeof newVisible>>()

export interface VisibilityQuestion {
  objects: ObjectDatabase
  /** Those that the caller sees. */
  refs: RefSnapshot
  ids: readonly ObjectId[]
}

/** Those of `ids` that the caller may not read, absent ones among them. */
export async function findInvisibleIds(hub: Hub, repo: Repo, question: VisibilityQuestion): Promise<ObjectId[]> {
  const { objects, refs } = question
  const visible = visibleOf.get(hub.database) ?? newVisible()
  visibleOf.set(hub.database, visible)
  const visibilityClass = visibilityClassOf(repo)
  const keyOf = (id: ObjectId) => `${repo.id}/${visibilityClass}/${id}` as const
  const asked = question.ids.filter((id) => visible.get(keyOf(id)) !== true)
  if (asked.length === 0) return []
  const graph = new CommitGraph(objects)
  const current = refs.refs.map((ref) => ref.id)
  const hidden = await findUnreached(graph, asked, current)
  const unreached = hidden.length === 0 ? hidden : await findUnreached(graph, hidden, await retainedIds(hub, repo))
  const refused = new Set(unreached)
  for (const id of asked) if (!refused.has(id)) visible.set(keyOf(id), true)
  return unreached
}

/** False as well for what does not exist or is no commit. */
export async function isCommitVisible(
  hub: Hub,
  repo: Repo,
  { objects, refs, commitId }: Omit<VisibilityQuestion, 'ids'> & { commitId: ObjectId },
): Promise<boolean> {
  if (locateCommit(objects, commitId) === undefined) return false
  return (await findInvisibleIds(hub, repo, { objects, refs, ids: [commitId] })).length === 0
}

/** The ordinal of a commit; undefined for what is absent or something else. */
export function locateCommit(objects: ObjectDatabase, id: ObjectId): Ordinal | undefined {
  const ordinal = locateId(objects, id)
  return ordinal >= 0 && objects.stat(ordinal).type === 'commit' ? ordinal : undefined
}

/** Those of `ids` that `tips` (of any type; absent ones are passed over) do not lead to. */
async function findUnreached(graph: CommitGraph, ids: readonly ObjectId[], tips: readonly ObjectId[]) {
  const { objects } = graph
  const ordinals = ids.map((id) => locateId(objects, id))
  const types = ordinals.map((ordinal) => (ordinal < 0 ? undefined : objects.stat(ordinal).type))
  const targets = ordinals.filter((_, index) => types[index] === 'commit')
  // Before the tips are read, of which there may be many: nothing leads to a tree, a blob or what does not exist.
  if (targets.length === 0 && !types.includes('tag')) return [...ids]
  const tags = new Set<Ordinal>()
  const commits: Ordinal[] = []
  const pause = fairLoop()
  for (const tip of tips) {
    if (pause.due()) await pause.now()
    const ordinal = locateId(objects, tip)
    if (ordinal < 0) continue
    const target = peel(objects, ordinal, (tag) => tags.add(tag))
    if (objects.stat(target).type === 'commit') commits.push(target)
  }
  const beyond = new Set(await findNonAncestors(graph, targets, commits))
  const reached = new Set([...tags, ...targets.filter((target) => !beyond.has(target))])
  return ids.filter((_, index) => !reached.has(ordinals[index]))
}

async function retainedIds(hub: Hub, repo: Repo): Promise<ObjectId[]> {
  const { refLogRetentionSeconds } = hub.config.limits
  const retained = await listRetainedIds(hub.database, repo.id, refLogRetentionSeconds)
  const visibilityClass = visibilityClassOf(repo)
  return retained.filter(({ name }) => isRefVisible(visibilityClass, name)).map(({ id }) => id as ObjectId)
}
