/** What of an object may be held whole, for the pack code: whatever a push may bring can be read back. */
import type { Limits } from '../config.ts'
import type { PackSetLimits } from '../git/pack/pack-set.ts'
import type { ReceivePackLimits } from '../git/pack/receive-pack-file.ts'

/** For reading stored packs. */
export function packSetLimits(limits: Limits): PackSetLimits {
  return { objectHeldMaxBytes: Math.max(limits.gitObjectHeldMaxBytes, limits.gitBlobMaxBytes) }
}

/** For receiving a pack. */
export function receiveLimits(limits: Limits): ReceivePackLimits {
  return { ...limits, gitObjectHeldMaxBytes: packSetLimits(limits).objectHeldMaxBytes }
}
