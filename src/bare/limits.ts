/** Limits of whoever serves a repository of their own: the configuration sets what a server would set. */
import { defaultLimits, type Limits } from '../limits.ts'

const MiB = 1024 ** 2

export const localLimits: Limits = {
  ...defaultLimits,
  gitPackMaxBytes: Number.MAX_SAFE_INTEGER,
  // git's own core.bigFileThreshold: it makes no deltas of blobs above, and what is not a blob is never so large.
  gitObjectHeldMaxBytes: 512 * MiB,
}
