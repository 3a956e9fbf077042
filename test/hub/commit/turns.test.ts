import t from 'tap'
import type { Database } from '../../../src/database/queryable.ts'
import { takeTurn } from '../../../src/hub/commit/turns.ts'

const { signal } = new AbortController()

t.test('turns at one branch follow one another, those at others do not wait', async (t) => {
  const database = {} as Database
  const order: string[] = []
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const first = takeTurn(database, 'a', {
    turn: async () => {
      await gate
      order.push('first')
      throw new Error('failed')
    },
    signal,
  })
  const second = takeTurn(database, 'a', { turn: async () => order.push('second'), signal })
  await takeTurn(database, 'b', { turn: async () => order.push('other'), signal })
  open()
  await t.rejects(first, { message: 'failed' })
  await second
  t.same(order, ['other', 'first', 'second'])
})

t.test('who has left takes no turn, and holds nobody up', async (t) => {
  const database = {} as Database
  const gone = new AbortController()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const first = takeTurn(database, 'a', { turn: () => gate, signal })
  const second = takeTurn(database, 'a', { turn: async () => t.fail('it took a turn'), signal: gone.signal })
  const third = takeTurn(database, 'a', { turn: async () => 'third', signal })
  gone.abort(new Error('left'))
  open()
  await first
  await t.rejects(second, { message: 'left' })
  t.equal(await third, 'third')
})
