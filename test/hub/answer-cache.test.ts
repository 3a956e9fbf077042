import t from 'tap'
import { type Answer, createAnswerCache } from '../../src/hub/answer-cache.ts'
import { createLargeAnswers } from '../../src/hub/large-answers.ts'

/** Keeps nothing. */
const noLarge = createLargeAnswers({
  createSpool: () => {
    throw new Error('not asked for')
  },
  keptMaxBytes: 0,
  keptForMs: 1,
})

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`

/** Makes answers of the pieces, in one buffer that is used again, and counts how often it is asked. */
function maker(...pieces: (string | Promise<string>)[]) {
  const made = { count: 0, ended: 0 }
  const produce = async function* () {
    made.count++
    try {
      const piece = Buffer.alloc(100)
      for (const text of pieces) yield piece.subarray(0, piece.write(await text, 'latin1'))
    } finally {
      made.ended++
    }
  }
  return { made, produce }
}

async function textOf(answer: Answer): Promise<string> {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString('latin1')
  let text = ''
  for await (const piece of answer) text += Buffer.from(piece).toString('latin1')
  return text
}

t.test('an answer is made once for its key, and kept whole', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { made, produce } = maker('one ', 'two')
  const first = await cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })
  t.ok(first instanceof Uint8Array)
  t.equal(await textOf(first), 'one two')
  t.equal(await cache.answer('a', produce, { maxBytes: 100, isLargeKept: false }), first)
  t.equal(made.count, 1)
  await cache.answer('b', produce, { maxBytes: 100, isLargeKept: false })
  t.equal(made.count, 2)
})

t.test('of requests that come together one is answered', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { promise, resolve } = Promise.withResolvers<string>()
  const { made, produce } = maker('one ', promise)
  const answers = [1, 2, 3].map(() => cache.answer('a', produce, { maxBytes: 100, isLargeKept: false }))
  resolve('two')
  t.same(await Promise.all((await Promise.all(answers)).map(textOf)), ['one two', 'one two', 'one two'])
  t.equal(made.count, 1)
})

t.test('a large answer is streamed to each who asks, and not kept', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { made, produce } = maker('0123456789', 'abc', 'def')
  const [first, second] = await Promise.all([
    cache.answer('a', produce, { maxBytes: 9, isLargeKept: false }),
    cache.answer('a', produce, { maxBytes: 9, isLargeKept: false }),
  ])
  t.notOk(first instanceof Uint8Array)
  t.equal(await textOf(first), '0123456789abcdef')
  t.equal(await textOf(second), '0123456789abcdef')
  t.equal(made.count, 2)
})

t.test('a slow answer is streamed, and kept once it has ended', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { promise, resolve } = Promise.withResolvers<string>()
  const { made, produce } = maker('one ', promise, ' three')
  const first = await cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })
  t.notOk(first instanceof Uint8Array)
  const waiting = cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })
  resolve('two')
  t.equal(await textOf(first), 'one two three')
  t.equal(await textOf(await waiting), 'one two three')
  t.equal(made.count, 1)
})

t.test('a slow answer that grows large stops what others wait for', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { promise, resolve } = Promise.withResolvers<string>()
  const { made, produce } = maker('one ', promise, '0123456789', ' three')
  const first = await cache.answer('a', produce, { maxBytes: 10, isLargeKept: false })
  const waiting = cache.answer('a', produce, { maxBytes: 10, isLargeKept: false })
  resolve('two')
  t.equal(await textOf(first), 'one two0123456789 three')
  t.equal(await textOf(await waiting), 'one two0123456789 three')
  t.equal(made.count, 2)
})

t.test('who leaves ends what is made for them, and another takes over', async (t) => {
  const cache = createAnswerCache(noLarge)
  const { promise, resolve } = Promise.withResolvers<string>()
  const { made, produce } = maker('one ', promise, 'three')
  const first = await cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })
  const waiting = cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })
  const reading = (first as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  await reading.next()
  const left = reading.return?.()
  resolve('two ')
  await left
  t.equal(await textOf(await waiting), 'one two three')
  t.same(made, { count: 2, ended: 2 })
})

t.test('what fails is told to who asked first, and tried again for the others', async (t) => {
  const cache = createAnswerCache(noLarge)
  let count = 0
  const produce = async function* () {
    count++
    if (count === 1) throw new Error('gone')
    yield Buffer.from('there')
  }
  const [first, second] = await Promise.allSettled(
    [1, 2].map(() => cache.answer('a', produce, { maxBytes: 100, isLargeKept: false })),
  )
  t.match(first, { status: 'rejected', reason: { message: 'gone' } })
  t.equal(await textOf((second as PromiseFulfilledResult<Answer>).value), 'there')
  t.equal(count, 2)
})

t.test('an answer that tells of a failure is given once', async (t) => {
  const cache = createAnswerCache(noLarge)
  for (const failure of [
    packet('ERR no'),
    packet('packfile\n') + packet('\x01PACK') + packet('\x03The server failed.'),
  ]) {
    const { made, produce } = maker(failure)
    for (const _ of [1, 2])
      t.equal(await textOf(await cache.answer(failure, produce, { maxBytes: 1000, isLargeKept: false })), failure)
    t.equal(made.count, 2)
  }
  for (const good of [`${packet('NAK\n')}PACK\x00\x03ERR `, `${packet('ok')}00000001${packet('\x02ERR ')}0000`, '']) {
    const { made, produce } = maker(good)
    for (const _ of [1, 2])
      t.equal(await textOf(await cache.answer(good, produce, { maxBytes: 1000, isLargeKept: false })), good)
    t.equal(made.count, 1)
  }
})
