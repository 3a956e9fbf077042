/**
 * When packs are rewritten, and which. Two tiers: small packs are merged often, so that a lookup asks few of them; the
 * clone pack is made anew seldom, so that a push does not cost a rewriting of everything.
 */
import type { Limits } from '../config.ts'
import type { PackRow } from '../database/packs.ts'

/** What a decision needs of a pack. */
export type PackSize = Pick<PackRow, 'tier' | 'objectCount' | 'packBytes'>

export type CompactionLimits = Pick<Limits, 'compactionPacksMin' | 'clonePackObjectsMin' | 'clonePackBytesMin'>

// A clone sends what came since object by object, at 3 times the cost of what lies ready. At a quarter the rebuilding, which
// costs about as much as ten clones, is repeated after a growth of as much: each object is rewritten some 5 times in all.
const tailShareMax = 1 / 4
// An object is rewritten a logarithmic number of times, as by `git repack --geometric`.
const growthFactor = 2

/** The packs that came since the clone pack was made. */
export function tailOf<P extends PackSize>(packs: readonly P[]): P[] {
  return packs.filter(({ tier }) => tier === 'received' || tier === 'merged')
}

/** True where a clone pack is missing, or so much has come since that it is to be made anew. */
export function isCloneOutgrown(packs: readonly PackSize[], limits: CompactionLimits): boolean {
  const clone = packs.find(({ tier }) => tier === 'clone')
  const tail = tailOf(packs)
  const objectCount = tail.reduce((sum, pack) => sum + pack.objectCount, 0)
  const bytes = tail.reduce((sum, pack) => sum + pack.packBytes, 0)
  return (
    objectCount > Math.max(limits.clonePackObjectsMin, (clone?.objectCount ?? 0) * tailShareMax) ||
    bytes > Math.max(limits.clonePackBytesMin, (clone?.packBytes ?? 0) * tailShareMax)
  )
}

/** True where a push that leaves the repository with these packs asks for compaction. */
export function isCompactionDue(packs: readonly PackSize[], limits: CompactionLimits): boolean {
  return tailOf(packs).length >= limits.compactionPacksMin || isCloneOutgrown(packs, limits)
}

/** Those of the tail that are merged: from the smallest up to the last that is not twice as large as all smaller ones. */
export function choosePacks<P extends PackSize>(packs: readonly P[]): P[] {
  const bySize = tailOf(packs).sort((a, b) => a.packBytes - b.packBytes)
  let smallerBytes = bySize.reduce((sum, pack) => sum + pack.packBytes, 0)
  for (let index = bySize.length - 1; index > 0; index--) {
    smallerBytes -= bySize[index].packBytes
    if (bySize[index].packBytes < growthFactor * smallerBytes) return bySize.slice(0, index + 1)
  }
  return []
}
