/** Tasks of the tests' own, and the thread that serves them. */
import { isMainThread, threadId } from 'node:worker_threads'
import { HoldfastError } from '../../src/errors.ts'
import { askSync } from '../../src/threads/questions.ts'
import { serveTasks } from '../../src/threads/thread.ts'
import type { Task } from '../../src/work.ts'

export interface TestTasks {
  /** Answers its input, having told it. */
  echo: Task<unknown, unknown>
  /** How many bytes came, and how many of them it writes back. */
  copy: Task<{ fails?: 'refused' | 'defect' | 'disk' }, number>
  /** Writes until it is told to stop; its number of writes goes into `counter`. */
  flood: Task<{ counter: SharedArrayBuffer; pieceBytes: number }, number>
  /** Ends when it is cancelled. */
  wait: Task<undefined, never>
  /** Answers what it was answered. */
  ask: Task<{ question: unknown; maxBytes: number }, string>
  die: Task<undefined, never>
  /** The number of the thread it runs in. */
  where: Task<undefined, number>
}

const failures = {
  refused: () => new HoldfastError('PackInvalid', { message: 'It is damaged.', details: { offset: 12 } }),
  defect: () => new TypeError('x is not a function'),
  disk: () => Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }),
}

export const testTasks: TestTasks = {
  async echo(input, { tell }) {
    tell(input)
    return input
  },
  async copy({ fails }, { bytes, write }) {
    let count = 0
    for await (const chunk of bytes) {
      count += chunk.length
      await write(chunk)
      if (fails !== undefined) throw failures[fails]()
    }
    return count
  },
  async flood({ counter, pieceBytes }, { write }) {
    const count = new Int32Array(counter)
    for (;;) {
      await write(new Uint8Array(pieceBytes))
      Atomics.add(count, 0, 1)
    }
  },
  async wait(_input, { signal }) {
    signal.throwIfAborted()
    return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
  async ask({ question, maxBytes }) {
    return Buffer.from(askSync(question, maxBytes)).toString()
  },
  where: async () => threadId,
  async die() {
    process.nextTick(() => {
      throw new Error('died')
    })
    return await new Promise(() => {})
  },
}

if (!isMainThread) serveTasks(testTasks)
