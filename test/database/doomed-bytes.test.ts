import t from 'tap'
import { doomBytes, forgetDoomedBytes, listDoomedBytes } from '../../src/database/doomed-bytes.ts'
import { createTestDatabase } from '../support/postgres.ts'

t.test('doomed bytes are listed once their time has come, until they are forgotten', async (t) => {
  const { database } = await createTestDatabase(t)
  await doomBytes(database, ['later'], 3600)
  await doomBytes(database, ['b', 'a', 'b'], 0)
  await doomBytes(database, ['later', 'c'], 0)
  await doomBytes(database, [], 0)
  t.same(await listDoomedBytes(database, 2), ['a', 'b'])
  t.same(await listDoomedBytes(database, 10), ['a', 'b', 'c'], 'still there, and what was doomed first keeps its time')
  await forgetDoomedBytes(database, ['a', 'b'])
  t.same(await listDoomedBytes(database, 10), ['c'])
})
