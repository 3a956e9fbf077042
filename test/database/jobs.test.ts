import t from 'tap'
import { enqueueJob } from '../../src/database/jobs.ts'
import { createTestDatabase } from '../support/postgres.ts'

t.test('a job exists if its transaction commits, once per key', async (t) => {
  const { database } = await createTestDatabase(t)
  const jobs = () =>
    database.query('select task_identifier as name, key, run_at as "runAt" from graphile_worker.jobs order by 1, 2')
  const failing = database.transaction(async (tx) => {
    await enqueueJob(tx, { name: 'compact', payload: {} })
    throw new Error('later')
  })
  await t.rejects(failing, /later/)
  t.same(await jobs(), [])

  const runAt = new Date('2030-01-01T00:00:00Z')
  await enqueueJob(database, { name: 'compact', payload: { repoId: '1' }, key: 'compact:1' })
  await enqueueJob(database, { name: 'compact', payload: { repoId: '1' }, key: 'compact:1', runAt })
  await enqueueJob(database, { name: 'sweep', payload: {} })
  t.match(await jobs(), [
    { name: 'compact', key: 'compact:1', runAt },
    { name: 'sweep', key: null, runAt: Date },
  ])
})
