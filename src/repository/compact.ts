/**
 * Compaction, beside running pushes and clones. Many small packs become one; and now and then all packs become two: the
 * clone pack, exactly what heads and tags lead to, and the rest, whatever else the repository holds.
 *
 * What compaction writes is self-contained, so later packs may keep their deltas against what was in the packs it
 * replaced.
 */
import { listClosedPacks, type PackRow } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import { formatBundleHeader } from '../git/bundle.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { idBytes, type ObjectId, objectIdBytes } from '../git/object-id.ts'
import { chainDepthMax, writeClonePack } from '../git/pack/clone-order.ts'
import { writePack } from '../git/pack/writer.ts'
import { locateId, type Ordinal, type Ref, type RefSnapshot } from '../git/repository.ts'
import { CommitGraph } from '../git/walk/commit-graph.ts'
import { leadToAll } from '../git/walk/leads-to.ts'
import { closureOf } from './closure.ts'
import { choosePacks, isCloneOutgrown } from './compaction-plan.ts'
import type { Ground } from './ground.ts'
import type { PinnedPacks } from './pack-catalog.ts'
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

/** Makes of a repository's packs what is due. Throws Conflict where another compaction was quicker. */
export async function compactPacks(ground: Ground, { repoId, packs, refs }: Compaction): Promise<CompactionResult> {
  try {
    const cloned = clonedRefs(refs)
    const tipIds = [...new Set(cloned.map(({ id }) => id))]
    if (await isCloneDue(ground, packs, tipIds)) return await rebuild(ground, repoId, { packs, cloned, tipIds })
    return await merge(ground, repoId, packs)
  } finally {
    packs.release()
  }
}

/** Heads and tags: what `git clone` asks for. */
function clonedRefs({ refs }: RefSnapshot): Ref[] {
  return refs.filter(({ name }) => name.startsWith('refs/heads/') || name.startsWith('refs/tags/'))
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
  const closure = await closureOf(packs, tips, await listClosedPacks(ground.database, repoId))
  const rest = await restOf(packs, closure)
  const written: PackToWrite[] = []
  if (closure.length > 0) {
    const bytes = writeClonePack(objects, closure)
    written.push({
      tier: 'clone',
      bytes,
      tipIds: Buffer.concat(tipIds.map(objectIdBytes)),
      bundleHeader: formatBundleHeader(cloned),
    })
  }
  if (rest.length > 0) written.push({ tier: 'rest', bytes: writeSelfContained(packs, rest) })
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
  const ordinals = await ordinalsOf(packs, removed)
  const written: PackToWrite[] = [{ tier: 'merged', bytes: writeSelfContained(packs, ordinals) }]
  await rewritePacks(ground, repoId, { objects: packs.objects, removed, written })
  return { mergedPacks: removed.length, objectCount: ordinals.length, cloneObjectCount: 0 }
}

function writeSelfContained({ objects }: PinnedPacks, ordinals: Uint32Array) {
  return writePack(objects, ordinals, { ofsDelta: true, deltaDepthMax: chainDepthMax })
}

/** Every object that is not among `cloned`, which are ascending. */
async function restOf(packs: PinnedPacks, cloned: Uint32Array): Promise<Uint32Array> {
  const all = await ordinalsOf(packs, packs.rows)
  let next = 0
  return all.filter((ordinal) => {
    while (next < cloned.length && cloned[next] < ordinal) next++
    return cloned[next] !== ordinal
  })
}

/** The objects that are known by their copy in one of the chosen packs, ascending; copies of others stay where they are. */
async function ordinalsOf({ rows, objects }: PinnedPacks, chosen: readonly PackRow[]): Promise<Uint32Array> {
  const ids = new Set(chosen.map((row) => row.id))
  const ordinals: Ordinal[] = []
  const pause = fairLoop()
  let first = 0
  for (const [number, row] of rows.entries()) {
    const { index } = objects.packs[number]
    for (let position = 0; ids.has(row.id) && position < index.objectCount; position++) {
      if (objects.locate(index.ids, position * idBytes) === first + position) ordinals.push(first + position)
      if (pause.due()) await pause.now()
    }
    first += index.objectCount
  }
  return Uint32Array.from(ordinals)
}
