/**
 * From what people and clients write for a revision to a commit: `HEAD`, a branch, a tag, a full ref name, a commit id in
 * full or abbreviated. In paths a revision may stand percent-encoded in one segment, or raw over several.
 */
import { HoldfastError } from '../errors.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import type { ObjectDatabase, RefSnapshot } from '../git/repository.ts'
import { findInvisibleIds, isCommitVisible, locateCommit, wasCommitVisible } from './commit-visibility.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { visibleRefs } from './visible-refs.ts'

export interface ResolvedRevision {
  commitId: ObjectId
  /** Named by its full commit id: the answer never changes. */
  isPinned: boolean
}

/** Abbreviated ids have at least this many digits. */
const abbreviationMin = 4
/** So many objects may share an abbreviation before it counts as ambiguous unseen. */
const expansionMax = 64

/** The commit that `revision` (decoded text) names. Throws RevisionNotFound. */
export async function resolveRevision(hub: Hub, repo: Repo, revision: string): Promise<ResolvedRevision> {
  const { path, ...resolved } = await resolveRevisionPath(hub, repo, [revision])
  if (path.length > 0) throw revisionNotFound(revision)
  return resolved
}

/**
 * Splits the decoded segments behind `/resolve/` into revision and path. The first segment alone is the revision where it
 * names one, as for every client that percent-encodes; otherwise the longest run of segments that is a ref.
 * Throws RevisionNotFound.
 */
export async function resolveRevisionPath(
  hub: Hub,
  repo: Repo,
  segments: readonly string[],
): Promise<ResolvedRevision & { path: string[] }> {
  const [first = ''] = segments
  const fullId = parseObjectId(first)
  if (fullId !== undefined && wasCommitVisible(hub, repo, fullId)) {
    return { commitId: fullId, isPinned: true, path: segments.slice(1) }
  }
  const { snapshot: refs } = await visibleRefs(hub, repo)
  return await hub.repositories.withObjects(repo, async (objects) => {
    if (fullId !== undefined) {
      if (!(await isCommitVisible(hub, repo, { objects, refs, commitId: fullId }))) throw revisionNotFound(first)
      return { commitId: fullId, isPinned: true, path: segments.slice(1) }
    }
    for (const length of [1, ...countDown(longestRun(segments, hub.config.limits.gitRefNameMaxBytes), 2)]) {
      const commitId = findNamed(objects, refs, segments.slice(0, length).join('/'))
      if (commitId !== undefined) return { commitId, isPinned: false, path: segments.slice(length) }
    }
    const commitId = await expandCommitId(hub, repo, { objects, refs, prefix: first })
    return { commitId, isPinned: false, path: segments.slice(1) }
  })
}

/** How many of the first segments a ref's name could hold: trying more would cost the square of a long path. */
function longestRun(segments: readonly string[], maxLength: number): number {
  let length = -1
  const end = segments.findIndex((segment) => {
    length += 1 + segment.length
    return length > maxLength
  })
  return end < 0 ? segments.length : end
}

function countDown(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => from - index)
}

/** A branch and a tag may share a name: the branch is meant, as with `git clone --branch`. */
function findNamed(objects: ObjectDatabase, refs: RefSnapshot, text: string): ObjectId | undefined {
  const name = Buffer.from(text).toString('latin1')
  if (name === 'HEAD') return refs.headId
  const candidates = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`]
  for (const candidate of candidates) {
    const ref = refs.refs.get(candidate)
    const id = ref?.peeledId ?? ref?.id
    if (id !== undefined && locateCommit(objects, id) !== undefined) return id
  }
  return undefined
}

async function expandCommitId(
  hub: Hub,
  repo: Repo,
  { objects, refs, prefix }: { objects: ObjectDatabase; refs: RefSnapshot; prefix: string },
): Promise<ObjectId> {
  if (!/^[0-9a-f]+$/.test(prefix) || prefix.length < abbreviationMin) throw revisionNotFound(prefix)
  const found = objects.expand(prefix, expansionMax)
  const ids = found.filter((id) => locateCommit(objects, id) !== undefined)
  // Asked together: each question by itself may walk the whole history.
  const invisible = new Set(await findInvisibleIds(hub, repo, { objects, refs, ids }))
  const visible = ids.filter((id) => !invisible.has(id))
  if (visible.length === 1 && found.length < expansionMax) return visible[0]
  if (visible.length === 0) throw revisionNotFound(prefix)
  throw new HoldfastError('RevisionNotFound', {
    message: `Invalid rev id: ${prefix} is ambiguous. Give more digits of the commit id.`,
  })
}

function revisionNotFound(revision: string): HoldfastError {
  return new HoldfastError('RevisionNotFound', { message: `Invalid rev id: ${revision.slice(0, 200)}` })
}
