/**
 * Compaction, beside running pushes and clones. Many small packs become one; and now and then all packs become two: the
 * clone pack, exactly what heads and tags lead to, and the rest, whatever else the repository holds.
 *
 * Clone pack and rest are self-contained, and merged packs lean on them alone; so later packs may keep their deltas against
 * what was in the packs that were replaced.
 */
import { listClosedPacks } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import { isHoldfastError } from '../errors.ts'
import { formatBundleHeader } from '../git/bundle.ts'
import { idBytes, type ObjectId, objectIdBytes } from '../git/object-id.ts'
import { locateId, type Ref, type RefSnapshot } from '../git/repository.ts'
import { CommitGraph } from '../git/walk/commit-graph.ts'
import { leadToAll } from '../git/walk/leads-to.ts'
import { closureOf, membersOf } from './closure.ts'
import { choosePacks, isCloneOutgrown } from './compaction-plan.ts'
import type { Ground } from './ground.ts'
import type { PinnedPacks } from './opened-sets.ts'
import { type PackToWrite, rewritePacks } from './rewrite-packs.ts'

export interface CompactionResult {
  /** How many packs were replaced; 0 where there was nothing to gain. */
  mergedPacks: number
  /** How many objects were written, and how many of them into a clone pack. */
  objectCount: number
  cloneObjectCount: number
}

const nothingDone: CompactionResult = { mergedPacks: 0, objectCount: 0, cloneObjectCount: 0 }

export interface Compaction {
  repoId: RepoId
  /** Released when it is over. What `refs` names lies in them. */
  packs: PinnedPacks
  refs: RefSnapshot
}

/**
 * Makes of a repository's packs what is due. Throws Conflict where another compaction was quicker; and why a clone pack
 * could not be made, once small packs are merged.
 */
export async function compactPacks(ground: Ground, { repoId, packs, refs }: Compaction): Promise<CompactionResult> {
  try {
    const cloned = clonedRefs(refs)
    const tipIds = [...new Set(cloned.map(({ id }) => id))]
    if (!(await isCloneDue(ground, packs, tipIds))) return await merge(ground, repoId, packs)
    return await rebuild(ground, repoId, { packs, cloned, tipIds }).catch(async (error: unknown) => {
      if (!isOvertaken(error)) await mergeAfter(error, ground, repoId, packs)
      throw error
    })
  } finally {
    packs.release()
  }
}

function isOvertaken(error: unknown): boolean {
  return isHoldfastError(error, 'Conflict') || isHoldfastError(error, 'RepoNotFound')
}

/** What keeps a clone pack from being made may last, and small packs would pile up meanwhile. */
async function mergeAfter(failure: unknown, ground: Ground, repoId: RepoId, packs: PinnedPacks): Promise<void> {
  await merge(ground, repoId, packs).catch((error: unknown) => {
    const reasons = [failure, error].map((reason) => (reason instanceof Error ? reason.message : String(reason)))
    throw new AggregateError([failure, error], `No clone pack: ${reasons[0]} And nothing merged: ${reasons[1]}`)
  })
}

/** Heads and tags: what `git clone` asks for. */
function clonedRefs({ refs }: RefSnapshot): Ref[] {
  return [...refs.withPrefixes(['refs/heads/', 'refs/tags/'])]
}

/** True also where something that the clone pack holds was taken out of sight: forced, or deleted. */
async function isCloneDue(
  { limits }: Ground,
  { rows, objects }: PinnedPacks,
  tipIds: readonly ObjectId[],
): Promise<boolean> {
  const { clonePack } = objects
  if (clonePack === undefined && tipIds.length === 0) return false
  if (isCloneOutgrown(rows, limits)) return true
  if (clonePack === undefined) return false
  const tips = tipIds.map((id) => locateId(objects, id))
  const { length } = clonePack.tipIds
  const former = Array.from({ length: length / idBytes }, (_, at) => objects.locate(clonePack.tipIds, at * idBytes))
  return !(await leadToAll(new CommitGraph(objects), tips, former))
}

interface Rebuilding {
  packs: PinnedPacks
  cloned: readonly Ref[]
  /** What these refs point to, each once. */
  tipIds: readonly ObjectId[]
}

async function rebuild(
  ground: Ground,
  repoId: RepoId,
  { packs, cloned, tipIds }: Rebuilding,
): Promise<CompactionResult> {
  const { rows, objects } = packs
  const tips = tipIds.map((id) => locateId(objects, id))
  const closure = await closureOf(ground, packs, { tips, closed: await listClosedPacks(ground.database, repoId) })
  const rest = await membersOf(ground, packs, rows, closure)
  const written: PackToWrite[] = []
  if (closure.length > 0) {
    written.push({
      tier: 'clone',
      ordinals: closure,
      tipIds: Buffer.concat(tipIds.map(objectIdBytes)),
      bundleHeader: formatBundleHeader(cloned),
    })
  }
  if (rest.length > 0) written.push({ tier: 'rest', ordinals: rest })
  await rewritePacks(ground, repoId, { objects, removed: rows, written })
  return {
    mergedPacks: rows.length,
    objectCount: closure.length + rest.length,
    cloneObjectCount: closure.length,
  }
}

async function merge(ground: Ground, repoId: RepoId, packs: PinnedPacks): Promise<CompactionResult> {
  const removed = choosePacks(packs.rows)
  if (removed.length < 2) return nothingDone
  const ordinals = await membersOf(ground, packs, removed)
  // The pushers' deltas against clone pack and rest, which only a rebuilding of everything replaces, stay as they are.
  const groundPackCount = packs.rows.filter(({ tier }) => tier === 'clone' || tier === 'rest').length
  const written: PackToWrite[] = [{ tier: 'merged', ordinals, groundPackCount }]
  await rewritePacks(ground, repoId, { objects: packs.objects, removed, written })
  return { mergedPacks: removed.length, objectCount: ordinals.length, cloneObjectCount: 0 }
}
