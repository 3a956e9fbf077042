/** Gives the event loop back from long synchronous work, so that small requests are answered beside large ones. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** A function to be awaited inside a hot loop where `due()` is true: `if (pause.due()) await pause.now()`. */
export interface FairLoop {
  /** True once the slice is used up. Cheap: looks at the clock every 64th step. A long step may count as several. */
  due(steps?: number): boolean
  /** Throws the signal's reason once it has fired. */
  now(): Promise<void>
}

// The longest a small request should wait for a loop.
const sliceMs = 5

/** Slices of 5 ms of work, until `signal` fires. */
export function fairLoop(signal?: AbortSignal): FairLoop {
  let sliceEndsAt = performance.now() + sliceMs
  let taken = 0
  return {
    due: (steps = 1) => {
      taken += steps
      if (taken < 64) return false
      taken = 0
      return performance.now() >= sliceEndsAt
    },
    now: async () => {
      await nextTurn()
      signal?.throwIfAborted()
      sliceEndsAt = performance.now() + sliceMs
    },
  }
}
