/** Gives the event loop back from long synchronous work, so that small requests are answered beside large ones. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** A function to be awaited inside a hot loop where `due()` is true: `if (pause.due()) await pause.now()`. */
export interface FairLoop {
  /** True once the slice is used up. Cheap: looks at the clock every 64th step. A long step may count as several. */
  due(steps?: number): boolean
  now(): Promise<void>
}

/** Slices of `sliceMs` of work (5 ms: the longest a small request should wait for this loop). */
export function fairLoop(sliceMs = 5): FairLoop {
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
      sliceEndsAt = performance.now() + sliceMs
    },
  }
}
