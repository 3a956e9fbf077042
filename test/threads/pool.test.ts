/** Tasks in worker threads, and in the same thread: whoever asks must not be able to tell. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HoldfastError, isHoldfastError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { openThreadPool, type ThreadPool } from '../../src/threads/pool.ts'
import { sameThread } from '../../src/threads/same-thread.ts'
import { markDisposable, type Workers } from '../../src/work.ts'
import { type TestTasks, testTasks } from './tasks.ts'

const KiB = 1024
const MiB = 1024 * KiB

function openPool(t: Test, size = 1): ThreadPool<TestTasks> {
  const entry = new URL('./tasks.ts', import.meta.url)
  const pool = openThreadPool<TestTasks>({ entry, size, logger: createLogger('silent') })
  t.teardown(() => pool.close())
  return pool
}

async function* pieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

async function* gated(gate: Promise<void>): AsyncGenerator<Uint8Array> {
  await gate
  yield Buffer.from('abc')
}

async function collect(stream: AsyncGenerator<Uint8Array, unknown>): Promise<{ bytes: Buffer; output: unknown }> {
  const chunks: Uint8Array[] = []
  for (;;) {
    const { value, done } = await stream.next()
    if (done) return { bytes: Buffer.concat(chunks), output: value }
    // Their memory is used again.
    chunks.push(Buffer.from(value))
  }
}

const kinds: Record<string, (t: Test) => Workers<TestTasks>> = {
  'worker threads': (t) => openPool(t),
  'the same thread': () => sameThread(testTasks),
}
for (const [kind, open] of Object.entries(kinds)) {
  t.test(`in ${kind}`, async (t) => {
    const workers = open(t)

    t.test('input, output and notes come across', async (t) => {
      const notes: unknown[] = []
      const input = { text: 'ö', bytes: new Uint8Array([1, 2]), list: [1n, undefined] }
      t.same(await workers.run('echo', input, { onNote: (note) => notes.push(note) }), input)
      t.same(notes, [input])
    })

    t.test('bytes come through whole, however they are cut', async (t) => {
      for (const [sizeBytes, pieceBytes] of [
        [0, 1],
        [1, 1],
        [3 * MiB + 1, 64 * KiB],
        [100_000, 7],
        [5 * MiB, 5 * MiB],
      ]) {
        const sent = randomBytes(sizeBytes)
        const got = await collect(workers.stream('copy', {}, { bytes: pieces(sent, pieceBytes) }))
        t.ok(got.bytes.equals(sent), `${sizeBytes} bytes in pieces of ${pieceBytes}`)
        t.equal(got.output, sizeBytes)
      }
    })

    t.test('what belongs to nobody else is freed once it is sent', async (t) => {
      const own = new Uint8Array(100_000).fill(1)
      const others = new Uint8Array(100_000).fill(2)
      markDisposable(own)
      markDisposable(others.subarray(1))
      const bytes = (async function* () {
        yield own
        yield others.subarray(1)
        yield others
      })()
      const { output } = await collect(workers.stream('copy', {}, { bytes }))
      t.equal(output, 299_999)
      t.equal(own.length, kind === 'worker threads' ? 0 : 100_000)
      t.same(others, new Uint8Array(100_000).fill(2))
    })

    t.test('a byte arrives though the source then waits', async (t) => {
      const gate = Promise.withResolvers<void>()
      async function* slow() {
        yield Buffer.from('a')
        await gate.promise
        yield Buffer.from('b')
      }
      const stream = workers.stream('copy', {}, { bytes: slow() })
      t.equal(Buffer.from((await stream.next()).value as Uint8Array).toString(), 'a')
      gate.resolve()
      t.equal((await collect(stream)).bytes.toString(), 'b')
    })

    t.test('errors keep what they are', async (t) => {
      const bytes = () => pieces(randomBytes(10), 10)
      await t.rejects(workers.run('copy', { fails: 'refused' }, { bytes: bytes() }), {
        code: 'PackInvalid',
        message: 'It is damaged.',
        details: { offset: 12 },
      })
      t.ok(isHoldfastError(await workers.run('copy', { fails: 'refused' }, { bytes: bytes() }).catch((it) => it)))
      await t.rejects(workers.run('copy', { fails: 'defect' }, { bytes: bytes() }), { message: 'x is not a function' })
      await t.rejects(workers.run('copy', { fails: 'disk' }, { bytes: bytes() }), { code: 'ENOSPC' })
      await t.rejects(collect(workers.stream('copy', { fails: 'refused' }, { bytes: bytes() })), {
        code: 'PackInvalid',
      })
    })

    t.test("the source's error is thrown itself", async (t) => {
      const broken = new Error('the client left')
      async function* source() {
        yield Buffer.from('a')
        throw broken
      }
      t.equal(await workers.run('copy', {}, { bytes: source() }).catch((error) => error), broken)
    })

    t.test('a source is left when the task ends before it, and not read by two', async (t) => {
      const seen: string[] = []
      async function* source() {
        try {
          for (;;) {
            seen.push('read')
            yield randomBytes(MiB)
          }
        } finally {
          seen.push('left')
        }
      }
      await t.rejects(workers.run('copy', { fails: 'refused' }, { bytes: source() }), { code: 'PackInvalid' })
      t.equal(seen.at(-1), 'left')
    })

    t.test('a task is cancelled by the signal, with its reason', async (t) => {
      const client = new AbortController()
      const reason = new Error('gone')
      const waiting = workers.run('wait', undefined, { signal: client.signal })
      client.abort(reason)
      t.equal(await waiting.catch((error) => error), reason)
      const late = workers.run('wait', undefined, { signal: client.signal })
      t.equal(await late.catch((error) => error), reason, 'also one that had fired before')
    })

    t.test('a reader that takes nothing holds the writer back, and ends it by leaving', async (t) => {
      const counter = new SharedArrayBuffer(4)
      const count = () => Atomics.load(new Int32Array(counter), 0)
      const stream = workers.stream('flood', { counter, pieceBytes: 64 * KiB })
      await stream.next()
      let before = -1
      while (count() !== before) {
        before = count()
        await sleep(20)
      }
      t.ok(count() * 64 * KiB <= 2 * MiB, `${count()} pieces were written`)
      await stream.return(0)
      const after = count()
      await sleep(20)
      t.equal(count(), after)
    })
  })
}

t.test('a task that dies takes its thread with it, and the next gets a new one', async (t) => {
  const pool = openPool(t, 2)
  const gate = Promise.withResolvers<void>()
  const other = pool.run('copy', {}, { bytes: gated(gate.promise) })
  await t.rejects(pool.run('die', undefined), { code: 'Unavailable' })
  gate.resolve()
  t.equal(await other, 3, 'what runs in another thread goes on')
  t.equal(await pool.run('echo', 1), 1)
})

t.test('tasks spread over the threads, and no more threads than allowed', async (t) => {
  const pool = openPool(t, 2)
  const client = new AbortController()
  const waiting = Array.from({ length: 5 }, () => pool.run('wait', undefined, { signal: client.signal }))
  t.same(pool.load().sort(), [2, 3])
  client.abort(new Error('over'))
  await Promise.allSettled(waiting)
  t.same(pool.load(), [0, 0])
})

t.test('a thread that has worked and then idles makes room for a fresh one', async (t) => {
  const entry = new URL('./tasks.ts', import.meta.url)
  for (const startsNow of [false, true]) {
    const pool = openThreadPool<TestTasks>({ entry, size: 1, logger: createLogger('silent'), startsNow, idleMs: 20 })
    const first = await pool.run('where', undefined)
    const deadline = Date.now() + 10_000
    let next = first
    for (; next === first && Date.now() < deadline; next = await pool.run('where', undefined)) await sleep(30)
    t.not(next, first)
    await pool.close()
  }
})

t.test('closing waits for what runs and takes nothing new', async (t) => {
  const pool = openPool(t)
  const gate = Promise.withResolvers<void>()
  const running = pool.run('copy', {}, { bytes: gated(gate.promise) })
  const closing = pool.close()
  await t.rejects(pool.run('echo', 1), { code: 'Unavailable' })
  gate.resolve()
  t.equal(await running, 3)
  await closing
  t.same(pool.load(), [])
})

t.test('a task stands still until it is answered, and holds up none that has something to do', async (t) => {
  const pool = openPool(t)
  const gate = Promise.withResolvers<void>()
  pool.answerWith(async (question, into) => {
    await gate.promise
    if (question === 'nothing') throw new HoldfastError('BytesMissing', { message: 'Not there.' })
    return Buffer.from(into.buffer, 0, into.length).write(`about ${question}`)
  })
  const asked = pool.run('ask', { question: 'x', maxBytes: 100 }, { mayStandStill: true })
  t.equal(await pool.run('echo', 1), 1)
  gate.resolve()
  t.equal(await asked, 'about x')
  const refused = pool.run('ask', { question: 'nothing', maxBytes: 1000 }, { mayStandStill: true })
  await t.rejects(refused, { code: 'BytesMissing', message: 'Not there.' })
})
