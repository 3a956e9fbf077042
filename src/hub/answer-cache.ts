/**
 * Answers of the fetch side that may be given again: what a key names never changes, since the versions of what was asked
 * about are part of it, so that nothing has to be taken back. Small answers are kept at once, in memory; large ones when they
 * are asked for again, on disk. Of equal requests for a small answer that come together one is answered, and the others wait.
 */
import { LRUCache } from 'lru-cache'
import { fairLoop } from '../git/fair-loop.ts'
import type { ByteStream } from '../git/object-id.ts'
import type { LargeAnswers } from './large-answers.ts'

/** Whole, or as it comes. */
export type Answer = Uint8Array | ByteStream

export interface AnswerCache {
  /** The answer that `key` names, if it is kept. */
  find(key: string): Answer | undefined
  /** The answer that `key` names, made by `produce` where it is not kept. */
  answer(key: string, produce: () => ByteStream, limits: AnswerLimits): Promise<Answer>
}

export interface AnswerLimits {
  /** In memory. */
  maxBytes: number
  /** Whether it is worth keeping above that. */
  isLargeKept: boolean
}

// Half of them may be answers of one repository with 200,000 refs.
const keptMaxBytes = 64 * 1024 * 1024
/** Whether something is still visible may depend on when it is asked: on the retention of the ref log. */
export const keptForMs = 600_000
/** An answer that is not whole by then is sent as it comes: its client is to see that somebody works for it. */
const wholeWithinMs = 100

/** What became of the request that others wait for: its answer, or why they must do without. */
type Outcome = Uint8Array | 'too large' | 'failed'

interface Production {
  source: AsyncIterator<Uint8Array>
  maxBytes: number
  /** Copies: whoever makes an answer may use its buffers again. */
  pieces: Uint8Array[]
  sizeBytes: number
  /** A piece that was asked for and is not there yet. */
  pending: Promise<IteratorResult<Uint8Array>> | undefined
  /** The first outcome counts. */
  settle(outcome: Outcome): void
}

/** A cache that keeps small answers, and large ones in `large`. */
export function createAnswerCache(large: LargeAnswers): AnswerCache {
  const kept = new LRUCache<string, Uint8Array>({
    maxSize: keptMaxBytes,
    sizeCalculation: (bytes) => bytes.length + 500,
    ttl: keptForMs,
  })
  const flights = new Map<string, Promise<Outcome>>()

  const find = (key: string) => kept.get(key) ?? large.find(key)

  async function answer(key: string, produce: () => ByteStream, limits: AnswerLimits): Promise<Answer> {
    for (;;) {
      const whole = find(key)
      if (whole !== undefined) return whole
      if (large.isNoted(key)) return large.keep(key, produce())
      const flight = flights.get(key)
      if (flight === undefined) return await begin(key, produce, limits)
      const outcome = await flight
      if (outcome === 'too large') return produce()
      if (outcome !== 'failed') return outcome
    }
  }

  async function begin(
    key: string,
    produce: () => ByteStream,
    { maxBytes, isLargeKept }: AnswerLimits,
  ): Promise<Answer> {
    const source = produce()[Symbol.asyncIterator]()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    flights.set(key, promise)
    const production: Production = { source, maxBytes, pieces: [], sizeBytes: 0, pending: undefined, settle }
    function settle(outcome: Outcome): void {
      if (!flights.delete(key)) return
      if (outcome instanceof Uint8Array) kept.set(key, outcome)
      else if (outcome === 'too large' && isLargeKept) large.note(key)
      resolve(outcome)
    }
    return (await gather(production)) ?? stream(production)
  }

  return { find, answer }
}

/** The whole answer; undefined where it is too large for that, or not done in time. */
async function gather(production: Production): Promise<Uint8Array | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), wholeWithinMs)
  const pause = fairLoop()
  try {
    while (production.sizeBytes <= production.maxBytes) {
      if (pause.due()) await pause.now()
      const pending = production.source.next()
      const next = await Promise.race([pending, late.promise])
      if (next === undefined) {
        production.pending = pending
        return undefined
      }
      if (next.done) return finish(production)
      keep(production, next.value)
    }
    production.settle('too large')
    return undefined
  } catch (error) {
    production.settle('failed')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** What was gathered and what is still to come; kept after all if it ends within the limit. */
async function* stream(production: Production): AsyncGenerator<Uint8Array> {
  const { source, maxBytes } = production
  try {
    yield* [...production.pieces]
    for (let next = await (production.pending ?? source.next()); !next.done; next = await source.next()) {
      if (production.sizeBytes <= maxBytes) keep(production, next.value)
      if (production.sizeBytes > maxBytes) {
        production.pieces = []
        production.settle('too large')
      }
      yield next.value
    }
    if (production.sizeBytes <= maxBytes) finish(production)
  } finally {
    // Where nothing was settled before, the stream was left or has failed.
    production.settle('failed')
    await source.return?.()
  }
}

function keep(production: Production, piece: Uint8Array): void {
  production.pieces.push(Buffer.from(piece))
  production.sizeBytes += piece.length
}

function finish(production: Production): Uint8Array {
  const whole = Buffer.concat(production.pieces)
  production.settle(tellsOfFailure(whole) ? 'failed' : whole)
  return whole
}

/** An ERR packet, or one of side-band 3: what failed once need not fail again. A pack without a side-band ends the packets. */
function tellsOfFailure(answer: Buffer): boolean {
  for (let at = 0; at + 4 <= answer.length; ) {
    const length = Number.parseInt(answer.toString('latin1', at, at + 4), 16)
    if (!(length <= answer.length - at)) return false
    if (answer[at + 4] === 3 || answer.toString('latin1', at + 4, at + 8) === 'ERR ') return length > 4
    at += Math.max(length, 4)
  }
  return false
}
