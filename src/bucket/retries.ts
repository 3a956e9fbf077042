/** Retries what is safe to retry, with a growing and random pause, so that many servers do not return in step. */
import { setTimeout as pause } from 'node:timers/promises'

export interface RetryOptions {
  isRetryable: (error: unknown) => boolean
  signal?: AbortSignal
}

export const attemptsMax = 5
const firstPauseMs = 100

/** Runs `operation` up to `attemptsMax` times; throws what the last attempt threw. `operation` is told its number, from 1. */
export async function withRetries<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted()
    try {
      return await operation(attempt)
    } catch (error) {
      if (attempt === attemptsMax || !options.isRetryable(error)) throw error
    }
    await pauseBeforeRetry(attempt, options.signal)
  }
}

/** Waits between half and all of 100 ms, doubled with every failure. Rejects with the signal's reason when it aborts. */
export async function pauseBeforeRetry(failures: number, signal?: AbortSignal): Promise<void> {
  const longestMs = firstPauseMs * 2 ** (failures - 1)
  await pause(longestMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal?.throwIfAborted())
}
