/**
 * Questions that a thread asks while it stands still: for reads that must be synchronous, of bytes that only the main
 * thread can bring. The main thread never waits for a thread in this way.
 */
import { parentPort } from 'node:worker_threads'
import { HoldfastError } from '../errors.ts'
import { answerStates, type Question, readError, writeError } from './messages.ts'

/** Puts the answer into `into`; resolves to its length. */
export type AnswerQuestion = (question: unknown, into: Uint8Array) => Promise<number>

// Longer than whatever brings the bytes tries for.
const waitMaxMs = 300_000

/** From inside a thread: the answer, of at most `maxBytes`. Throws what the answering threw. */
export function askSync(question: unknown, maxBytes: number): Uint8Array {
  const answer = new SharedArrayBuffer(maxBytes)
  const state = new SharedArrayBuffer(8)
  const states = new Int32Array(state)
  parentPort!.postMessage({ question, answer, state } satisfies Question)
  if (Atomics.wait(states, 0, answerStates.open, waitMaxMs) === 'timed-out') throw new HoldfastError('Unavailable')
  const bytes = new Uint8Array(answer, 0, states[1])
  if (states[0] === answerStates.given) return bytes
  throw readError(JSON.parse(Buffer.from(bytes).toString()))
}

/** In the main thread: answers, and wakes the thread whatever happens. */
export async function answerQuestion({ question, answer, state }: Question, give: AnswerQuestion): Promise<void> {
  const states = new Int32Array(state)
  try {
    states[1] = await give(question, new Uint8Array(answer))
    Atomics.store(states, 0, answerStates.given)
  } catch (error) {
    states[1] = writeFailure(error, new Uint8Array(answer))
    Atomics.store(states, 0, answerStates.failed)
  }
  Atomics.notify(states, 0)
}

function writeFailure(error: unknown, into: Uint8Array): number {
  const sent = writeError(error)
  const whole = Buffer.from(JSON.stringify(sent))
  const text =
    whole.length <= into.length ? whole : Buffer.from(JSON.stringify({ ...sent, stack: undefined, details: {} }))
  into.set(text.subarray(0, into.length))
  return Math.min(text.length, into.length)
}
