import t, { type Test } from 'tap'
import { createSpoolFile } from '../../src/disk/spool.ts'
import { createSpoolBudget } from '../../src/disk/spool-budget.ts'
import { type Answer, createAnswerCache } from '../../src/hub/answer-cache.ts'
import { createLargeAnswers } from '../../src/hub/large-answers.ts'

const big = 'x'.repeat(600_000)

/** A cache over a disk with room for `roomBytes`, and what is open on it. */
function openCache(t: Test, { roomBytes = 1 << 24, keptMaxBytes = 1 << 23 } = {}) {
  const budget = createSpoolBudget(roomBytes)
  const count = { open: 0, made: 0 }
  const createSpool = () => {
    const spool = createSpoolFile(t.testdir(), budget)
    count.open++
    return {
      write: (chunk: Uint8Array) => spool.write(chunk),
      stream: () => spool.stream(),
      close() {
        count.open--
        spool.close()
      },
    }
  }
  const cache = createAnswerCache(createLargeAnswers({ createSpool, keptMaxBytes, keptForMs: 60_000 }))
  const ask = (key: string, ...pieces: string[]) =>
    cache.answer(
      key,
      async function* () {
        count.made++
        for (const piece of pieces) yield Buffer.from(piece)
      },
      { maxBytes: 1000, isLargeKept: true },
    )
  return { ask, count }
}

async function textOf(answer: Answer): Promise<string> {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString()
  let text = ''
  for await (const piece of answer) text += Buffer.from(piece).toString()
  return text
}

t.test('a large answer that is asked for again is kept, and read as it lies', async (t) => {
  const { ask, count } = openCache(t)
  for (let time = 1; time <= 4; time++) {
    t.equal(await textOf(await ask('a', big, 'end', '0000')), `${big}end0000`)
    t.equal(count.made, Math.min(time, 2))
  }
  const both = await Promise.all([ask('a'), ask('a')])
  t.same(await Promise.all(both.map(textOf)), [`${big}end0000`, `${big}end0000`])
  t.equal(count.open, 1)
})

t.test('what did not end well is not kept', async (t) => {
  const { ask, count } = openCache(t)
  for (let time = 1; time <= 3; time++) await textOf(await ask('a', big, 'failed'))
  t.same(count, { open: 0, made: 3 })
})

t.test('nor what was left, or found no room, or is larger than its share', async (t) => {
  const { ask, count } = openCache(t, { roomBytes: 700_000, keptMaxBytes: 3_000_000 })
  await textOf(await ask('a', big, '0000'))
  const left = (await ask('a', big, '0000')) as AsyncIterable<Uint8Array>
  for await (const _ of left) break
  t.equal(count.open, 0)
  t.equal(await textOf(await ask('a', big, '0000')), `${big}0000`)
  t.equal(count.open, 1)
  for (let time = 1; time <= 2; time++) t.equal(await textOf(await ask('b', big, '0000')), `${big}0000`)
  for (let time = 1; time <= 2; time++) t.equal(await textOf(await ask('c', big, big, '0000')), `${big}${big}0000`)
  t.equal(count.open, 1)
})

t.test('those that are not whole yet take no more than the whole ones may', async (t) => {
  const { ask, count } = openCache(t, { keptMaxBytes: 2_500_000 })
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const key of keys) await textOf(await ask(key, big, '0000'))
  const answers = await Promise.all(keys.map((key) => ask(key, big, '0000')))
  const readers = answers.map((answer) => (answer as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]())
  for (const reader of readers) await reader.next()
  t.equal(count.open, 4, 'the others pass without being kept')
  for (const reader of readers) {
    while (!(await reader.next()).done);
  }
  t.equal(count.open, 4)
})

t.test('the oldest makes room, and stays open while it is read', async (t) => {
  const { ask, count } = openCache(t, { keptMaxBytes: 2_500_000 })
  const askTwice = async (key: string) => {
    for (let time = 1; time <= 2; time++) await textOf(await ask(key, big, '0000'))
  }
  await askTwice('a')
  const reading = ((await ask('a')) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  let length = (await reading.next()).value.length
  for (const key of ['b', 'c', 'd', 'e']) await askTwice(key)
  t.equal(count.open, 5)
  for (let next = await reading.next(); !next.done; next = await reading.next()) length += next.value.length
  t.equal(length, big.length + 4)
  t.equal(count.open, 4)
})
