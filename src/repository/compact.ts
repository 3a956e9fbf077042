/**
 * Compaction: many small packs become one, beside running pushes and clones. Geometric, as `git repack --geometric`: packs
 * are merged from the smallest up to where the next is more than twice what has been gathered, so that an object is
 * rewritten only a logarithmic number of times.
 *
 * The merged pack is self-contained, so later packs may keep their deltas against what was in it. Every chain in it ends
 * in a whole object, no deeper than `chainDepthMax`: receiving it back proves that.
 */
import { packKeys } from '../bucket/keys.ts'
import { type PackRow, replacePacks } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import { isHoldfastError } from '../errors.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import { receivePackFile } from '../git/pack/receive-pack-file.ts'
import { writePack } from '../git/pack/writer.ts'
import type { Ground } from './ground.ts'
import { incomingPack } from './incoming-pack.ts'
import type { PinnedPacks } from './pack-catalog.ts'
import { packSetLimits, receiveLimits } from './pack-limits.ts'

export interface CompactionResult {
  /** How many packs were merged; 0 where there was nothing to gain. */
  mergedPacks: number
  objectCount: number
}

// Git's own default for the depth of chains (pack.depth).
const chainDepthMax = 50
const growthFactor = 2

/** Merges small packs of `packs`, which it releases. Throws Conflict where another compaction was quicker. */
export async function compactPacks(ground: Ground, repoId: RepoId, packs: PinnedPacks): Promise<CompactionResult> {
  try {
    const merged = choosePacks(packs.rows)
    if (merged.length < 2) return { mergedPacks: 0, objectCount: 0 }
    const ordinals = ordinalsOf(packs, merged)
    await mergeInto(ground, repoId, { packs, merged, ordinals })
    return { mergedPacks: merged.length, objectCount: ordinals.length }
  } finally {
    packs.release()
  }
}

/** The smallest packs, up to the last one that is not at least twice as large as all smaller ones together. */
export function choosePacks(rows: readonly PackRow[]): PackRow[] {
  const bySize = [...rows].sort((a, b) => a.packBytes - b.packBytes)
  let smallerBytes = bySize.reduce((sum, row) => sum + row.packBytes, 0)
  for (let index = bySize.length - 1; index > 0; index--) {
    smallerBytes -= bySize[index].packBytes
    if (bySize[index].packBytes < growthFactor * smallerBytes) return bySize.slice(0, index + 1)
  }
  return []
}

/** The objects that are known by their copy in one of the merged packs; copies of others stay where they are. */
function ordinalsOf({ rows, objects }: PinnedPacks, merged: readonly PackRow[]): Uint32Array {
  const chosen = new Set(merged.map((row) => row.id))
  const ordinals: number[] = []
  let first = 0
  for (const [number, row] of rows.entries()) {
    const { index } = objects.packs[number]
    for (let position = 0; chosen.has(row.id) && position < index.objectCount; position++) {
      if (objects.locate(index.ids, position * 20) === first + position) ordinals.push(first + position)
    }
    first += index.objectCount
  }
  return Uint32Array.from(ordinals)
}

interface Merge {
  packs: PinnedPacks
  merged: readonly PackRow[]
  ordinals: Uint32Array
}

async function mergeInto(ground: Ground, repoId: RepoId, { packs, merged, ordinals }: Merge): Promise<void> {
  const { bucket, database, disk, limits } = ground
  const spool = disk.createSpool()
  try {
    const pack = writePack(packs.objects, ordinals, { ofsDelta: true, deltaDepthMax: chainDepthMax })
    const received = await receivePackFile(pack, {
      spool,
      existing: new PackSet([], packSetLimits(limits)),
      limits: receiveLimits(limits),
    })
    const incoming = incomingPack(repoId, received, { bucket, spool, tier: 'merged' })
    try {
      await incoming.upload()
      await database.transaction((tx) =>
        replacePacks(tx, {
          repoId,
          removedPackIds: merged.map((row) => row.id),
          added: [incoming.row],
          doomedKeys: merged.flatMap((row) => (row.isInline ? [] : packKeys(repoId, row.id))),
          graceSeconds: limits.doomedBytesGraceSeconds,
        }),
      )
    } catch (error) {
      // Any other failure leaves it open whether the transaction was committed: the bytes stay for the sweep.
      if (isHoldfastError(error, 'Conflict')) await incoming.discard()
      throw error
    }
  } finally {
    spool.close()
  }
}
