/** Packs on their way in share a bounded memory: who finds no room waits for their turn. */
import t from 'tap'
import { ReceiveMemory } from '../../src/repository/receive-memory.ts'

const MiB = 1024 * 1024
/** Room for two packs without objects. */
const memory = () => new ReceiveMemory(2 * 96 * MiB)

/** Tells, later, whether the promise has resolved by then. */
function watch(promise: Promise<unknown>) {
  const seen = { isThere: false }
  void promise.then(() => {
    seen.isThere = true
  })
  return seen
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('as many as there is room for, and no more', async (t) => {
  const room = memory()
  const leave = await room.take(0)
  await room.take(0)
  const third = room.take(0)
  const seen = watch(third)
  await turn()
  t.notOk(seen.isThere)
  leave()
  await third
  t.notOk(await Promise.race([room.take(0), turn()]), 'its room is taken')
})

t.test('a pack that is larger than all there is runs alone, and nobody passes it', async (t) => {
  const room = memory()
  const leave = await room.take(0)
  const large = room.take(50_000_000)
  const small = room.take(0)
  const seen = watch(small)
  await turn()
  t.notOk(seen.isThere, 'though there would be room for it')
  leave()
  const leaveLarge = await large
  await turn()
  t.notOk(seen.isThere)
  leaveLarge()
  await small
})

t.test('whoever leaves the queue makes room for those behind', async (t) => {
  const room = memory()
  await room.take(0)
  const client = new AbortController()
  const large = room.take(50_000_000, client.signal)
  const small = room.take(0)
  client.abort(new Error('gone'))
  await t.rejects(large, { message: 'gone' })
  await small
  await t.rejects(room.take(0, client.signal), { message: 'gone' })
})
