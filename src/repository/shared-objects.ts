/** Opened packs as worker threads get them. */
import type { Limits } from '../config.ts'
import type { PackSet } from '../git/pack/pack-set.ts'
import type { SharedObjects } from '../git/worker.ts'
import { packSetLimits } from './pack-limits.ts'

/** For a task, while the packs are pinned. */
export function shareObjects({ packs }: PackSet, limits: Limits): SharedObjects {
  return { packs: packs.map((pack) => pack.share()), limits: packSetLimits(limits) }
}

/** True where some pack is read in blocks: a task over it stands still while they come. */
export function isRanged({ packs }: PackSet): boolean {
  return packs.some((pack) => pack.isRanged)
}
