/** Keeps the long loops over a received pack fair, cancellable and reported. */
import { fairLoop } from '../fair-loop.ts'

export type ReceivePhase = 'receiving' | 'resolving'
export type ReportProgress = (phase: ReceivePhase, done: number, total: number) => void

export interface ReceivePace {
  /** True where it is time to pause; `steps` as in `FairLoop.due`. */
  due(steps: number): boolean
  /** Reports, and lets others have a turn. Throws the signal's reason once the client has gone. */
  pause(phase: ReceivePhase, done: number, total: number): Promise<void>
}

/** The pace of one reception: slices as `fairLoop` makes them. */
export function receivePace(onProgress: ReportProgress | undefined, signal: AbortSignal | undefined): ReceivePace {
  const loop = fairLoop()
  return {
    due: loop.due,
    pause: async (phase, done, total) => {
      onProgress?.(phase, done, total)
      await loop.now()
      signal?.throwIfAborted()
    },
  }
}
