/** Which objects compaction puts into which pack: selected in a worker thread, from what the catalogue says. */
import type { ClosedPack, PackRow } from '../database/packs.ts'
import type { Ordinal } from '../git/repository.ts'
import type { Ground } from './ground.ts'
import type { PinnedPacks } from './opened-sets.ts'
import { isRanged, shareObjects } from './shared-objects.ts'

type Packs = Pick<PinnedPacks, 'rows' | 'objects'>

/** The objects that `tips` lead to, ascending. `closed` are packs that lead to nothing outside, the largest first. */
export async function closureOf(
  { workers, limits }: Ground,
  { rows, objects }: Packs,
  { tips, closed }: { tips: readonly Ordinal[]; closed: readonly ClosedPack[] },
): Promise<Uint32Array> {
  // The clone pack before others.
  const cloneRoots = rows.flatMap(({ id, tipIds }) => (tipIds === null ? [] : [{ id, rootIds: tipIds }]))
  const grounds = [...cloneRoots, ...closed].map(({ id, rootIds }) => ({
    number: rows.findIndex((row) => row.id === id),
    rootIds: new Uint8Array(rootIds),
  }))
  const input = { objects: shareObjects(objects, limits), tips, grounds: grounds.filter(({ number }) => number >= 0) }
  return await workers.run('selectClosure', input, { mayStandStill: isRanged(objects) })
}

/** The objects that are known by their copy in one of `chosen`, ascending, without those of `except`. */
export async function membersOf(
  { workers, limits }: Ground,
  { rows, objects }: Packs,
  chosen: readonly PackRow[],
  except?: Uint32Array,
): Promise<Uint32Array> {
  const numbers = chosen.map((row) => rows.indexOf(row))
  return await workers.run('selectMembers', { objects: shareObjects(objects, limits), numbers, except })
}
