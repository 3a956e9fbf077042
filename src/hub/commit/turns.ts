/**
 * Commits to one branch take turns within this server: each would only lose the race against the one before it. Other
 * servers are met in the database, where the slower one tries again.
 */
import type { Database } from '../../database/queryable.ts'

/** By branch, the end of the last turn that was asked for. */
const queuesOf = new WeakMap<Database, Map<string, Promise<void>>>()

/** Runs `turn` once all earlier turns at `branch` are over; not at all where the signal has fired by then. */
export async function takeTurn<T>(
  database: Database,
  branch: string,
  { turn, signal }: { turn: () => Promise<T>; signal: AbortSignal },
): Promise<T> {
  const queues = queuesOf.get(database) ?? new Map<string, Promise<void>>()
  queuesOf.set(database, queues)
  const before = queues.get(branch)
  const { promise: over, resolve: leave } = Promise.withResolvers<void>()
  queues.set(branch, over)
  try {
    await before
    signal.throwIfAborted()
    return await turn()
  } finally {
    if (queues.get(branch) === over) queues.delete(branch)
    leave()
  }
}
