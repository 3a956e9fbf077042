/** What all spools of this process may hold together: each pack is bounded, but not how many come at once. */
import { HoldfastError } from '../errors.ts'

export interface SpoolBudget {
  /** Sets `bytes` aside. Throws HoldfastError StorageFull where fewer are left; then nothing is set aside. */
  take(bytes: number): void
  release(bytes: number): void
}

/** A budget of `maxBytes`, all of it left. */
export function createSpoolBudget(maxBytes: number): SpoolBudget {
  let takenBytes = 0
  return {
    take(bytes) {
      if (takenBytes + bytes > maxBytes) throw new HoldfastError('StorageFull', { message: sentence(maxBytes) })
      takenBytes += bytes
    },
    release(bytes) {
      takenBytes -= bytes
    },
  }
}

function sentence(maxBytes: number): string {
  return (
    `The server's spool for packs on their way in is full (SPOOL_MAX_BYTES: ${maxBytes} bytes for all at once). ` +
    'Try again later, or push fewer commits at once.'
  )
}
