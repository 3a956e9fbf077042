import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { untilAborted } from '../../src/bucket/streams.ts'

const MiB = 2 ** 20

t.test('a body that passes under a signal is not kept', async (t) => {
  async function* body() {
    for (let n = 0; n < 1024; n++) {
      await nextTurn()
      yield Buffer.alloc(MiB, n)
    }
  }
  const before = process.memoryUsage().arrayBuffers
  let peak = 0
  for await (const _chunk of untilAborted(body(), new AbortController().signal)) {
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
  }
  t.ok(peak < 512 * MiB, `${Math.round(peak / MiB)} MiB of 1 GiB`)
})

t.test('a signal ends a source that hangs', async (t) => {
  const stop = new AbortController()
  const reason = new Error('enough')
  async function* hanging() {
    yield Buffer.alloc(1)
    await new Promise(() => {})
  }
  const chunks = untilAborted(hanging(), stop.signal)
  await chunks.next()
  const next = chunks.next()
  stop.abort(reason)
  await t.rejects(next, reason)
  await t.rejects(untilAborted(hanging(), stop.signal).next(), reason, 'at once when it was aborted before')
})
