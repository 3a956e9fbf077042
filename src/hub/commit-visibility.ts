/**
 * The one answer to "may this caller read this id" (design laws 8 and 9), for a caller who may read the repository: yes
 * while a ref that the caller sees leads to it, or such a ref did within the retention window of the ref log. Commits, tags,
 * trees and blobs alike.
 */
import { LRUCache } from 'lru-cache'
import type { Database, RepoId } from '../database/queryable.ts'
import { listRetainedIds } from '../database/ref-log.ts'
import type { ObjectId } from '../git/object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../git/repository.ts'
import { ReachedObjects } from '../git/walk/reached-objects.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { visibilityClassOf, visibleTo } from './visible-refs.ts'

/**
 * Answers that were yes, for a while: what a ref leads to stays visible until a forced push, and after it for the whole
 * retention window, which is longer.
 */
const newVisible = () => new LRUCache<`${RepoId}/${string}/${ObjectId}`, true>({ max: 50_000, ttl: 600_000 })
/** Ids of repositories are those of one database. */
const visibleOf = new WeakMap<Database, ReturnType<typeof newVisible>>()

/** Both are shared by the requests that see one version, and go when that does. */
const walksOf = new WeakMap<ObjectDatabase, WeakMap<RefSnapshot, ReachedObjects>>()

export interface VisibilityQuestion {
  objects: ObjectDatabase
  /** Those that the caller sees. */
  refs: RefSnapshot
  ids: readonly ObjectId[]
  /** Fires when nobody waits for the answer any more. */
  signal?: AbortSignal
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
  const present = new Map(asked.map((id) => [locateId(objects, id), id]))
  present.delete(-1)
  const unreached = await findUnreached(hub, repo, question, [...present.keys()]).catch((error: unknown) => {
    // A walk that was broken off, as where a block of a pack is absent, has lost its place: the next question begins anew.
    if (!question.signal?.aborted) walksOf.get(objects)?.delete(refs)
    throw error
  })
  for (const ordinal of unreached) present.delete(ordinal)
  const found = new Set(present.values())
  for (const id of found) visible.set(keyOf(id), true)
  return asked.filter((id) => !found.has(id))
}

async function findUnreached(
  hub: Hub,
  repo: Repo,
  { objects, refs, signal }: VisibilityQuestion,
  asked: readonly Ordinal[],
): Promise<Ordinal[]> {
  const current = reachedFrom(objects, refs)
  const unreached = await current.findUnreached(asked, signal)
  if (unreached.length === 0) return unreached
  const retained = locateAll(objects, await retainedIds(hub, repo))
  return await new ReachedObjects(objects, retained, current).findUnreached(unreached, signal)
}

/** The walk over what `refs` lead to, as far as earlier questions have brought it. */
function reachedFrom(objects: ObjectDatabase, refs: RefSnapshot): ReachedObjects {
  const walks = walksOf.get(objects) ?? new WeakMap<RefSnapshot, ReachedObjects>()
  walksOf.set(objects, walks)
  const walk = walks.get(refs) ?? new ReachedObjects(objects, locateAll(objects, tipsOf(refs)))
  walks.set(refs, walk)
  return walk
}

function tipsOf({ headId, refs }: RefSnapshot): ObjectId[] {
  return [...(headId === undefined ? [] : [headId]), ...refs.ids()]
}

/** Absent ones are passed over. */
function locateAll(objects: ObjectDatabase, ids: readonly ObjectId[]): Ordinal[] {
  return ids.map((id) => locateId(objects, id)).filter((ordinal) => ordinal >= 0)
}

/** Commits that were found, by the version of the packs: once objects are dropped, they are looked for again. */
const newCommits = () => new LRUCache<string, true>({ max: 50_000, ttl: 600_000 })
const commitsOf = new WeakMap<Database, ReturnType<typeof newCommits>>()

function commitKey(repo: Repo, commitId: ObjectId): string {
  return `${repo.id}/${repo.packsVersion}/${visibilityClassOf(repo)}/${commitId}`
}

/** True where `isCommitVisible` has said so of the same packs a moment ago; a no says nothing. Asks nobody. */
export function wasCommitVisible(hub: Hub, repo: Repo, commitId: ObjectId): boolean {
  return commitsOf.get(hub.database)?.get(commitKey(repo, commitId)) === true
}

/** False as well for what does not exist or is no commit. */
export async function isCommitVisible(
  hub: Hub,
  repo: Repo,
  { objects, refs, commitId }: Omit<VisibilityQuestion, 'ids'> & { commitId: ObjectId },
): Promise<boolean> {
  if (locateCommit(objects, commitId) === undefined) return false
  if ((await findInvisibleIds(hub, repo, { objects, refs, ids: [commitId] })).length > 0) return false
  const commits = commitsOf.get(hub.database) ?? newCommits()
  commitsOf.set(hub.database, commits)
  commits.set(commitKey(repo, commitId), true)
  return true
}

/** The ordinal of a commit; undefined for what is absent or something else. */
export function locateCommit(objects: ObjectDatabase, id: ObjectId): Ordinal | undefined {
  const ordinal = locateId(objects, id)
  return ordinal >= 0 && objects.stat(ordinal).type === 'commit' ? ordinal : undefined
}

async function retainedIds(hub: Hub, repo: Repo): Promise<ObjectId[]> {
  const { refLogRetentionSeconds } = hub.config.limits
  const retained = await listRetainedIds(hub.database, repo.id, refLogRetentionSeconds)
  const isVisible = visibleTo(visibilityClassOf(repo))
  return retained.filter(({ name }) => isVisible(name)).map(({ id }) => id as ObjectId)
}
