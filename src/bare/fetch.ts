/** A repository on disk as the protocol's fetch side sees it, as its configuration allows. */
import type { FetchHost } from '../git/host.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { ProtocolVersion } from '../git/protocol/capabilities.ts'
import { locateId, type ObjectDatabase, type RefSnapshot } from '../git/repository.ts'
import { findNonAncestors } from '../git/walk/ancestry.ts'
import { CommitGraph, peel } from '../git/walk/commit-graph.ts'
import { selectObjects } from '../git/walk/select-objects.ts'
import type { BareRepository } from './bare-repository.ts'
import { withoutHidden } from './hidden-refs.ts'

export interface FetchOptions {
  version: ProtocolVersion
  /** Each request stands alone (HTTP): refs may have moved since the client read them. */
  isStateless: boolean
}

/** The repository stays the caller's to close, after the last answer. */
export function bareFetchHost(repository: BareRepository, options: FetchOptions): FetchHost {
  const { isHidden, allowFilter, allowTip, allowReachable, allowRefInWant, allowSidebandAll } =
    repository.settings.fetch
  return {
    shallowIds: repository.shallowIds,
    offers: {
      filter: allowFilter,
      refInWant: allowRefInWant,
      sidebandAll: allowSidebandAll,
      cloneLinks: false,
      tipWants: allowTip,
      reachableWants: allowReachable,
      sessionId: undefined,
    },
    refs: async () => withoutHidden(await repository.refs(), isHidden),
    streamObjects: (using) => using(repository.objects),
    refusedWants: (objects, refs, wants) => findRefused(repository, options, { objects, refs, wants }),
  }
}

interface Question {
  objects: ObjectDatabase
  refs: RefSnapshot
  wants: readonly ObjectId[]
}

/** git's rules: version 2 gives away whatever is there; before it, what refs point to or, if allowed, lead to. */
async function findRefused(
  repository: BareRepository,
  { version, isStateless }: FetchOptions,
  { objects, refs, wants }: Question,
): Promise<ObjectId[]> {
  const { allowAny, allowTip, allowReachable } = repository.settings.fetch
  if (version === 2 || allowAny) return []
  const seesHidden = allowTip || allowReachable
  const tips = seesHidden ? (await repository.refs()).refs : refs.refs
  const tipIds = new Set(tips.ids())
  const others = wants.filter((id) => !tipIds.has(id))
  if (!allowReachable && !isStateless) return others
  return others.length === 0 ? [] : await findUnreached(objects, [...tipIds], others)
}

/** Commits are found by walking commits, newest first; for trees, blobs and tags everything is walked. */
async function findUnreached(objects: ObjectDatabase, tips: readonly ObjectId[], wants: readonly ObjectId[]) {
  const roots = tips.map((id) => locateId(objects, id))
  const isCommit = (ordinal: number) => ordinal >= 0 && objects.stat(ordinal).type === 'commit'
  const wanted = wants.map((id) => locateId(objects, id))
  if (!wanted.every(isCommit)) {
    const reached = new Set((await selectObjects(objects, { wants: roots, haves: [] })).ordinals)
    return wants.filter((_, index) => !reached.has(wanted[index]))
  }
  const commits = roots.map((root) => peel(objects, root)).filter(isCommit)
  const beyond = new Set(await findNonAncestors(new CommitGraph(objects), wanted, commits))
  return wants.filter((_, index) => beyond.has(wanted[index]))
}
