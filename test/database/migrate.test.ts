import { readdir } from 'node:fs/promises'
import pg from 'pg'
import t from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, withDatabase } from '../support/postgres.ts'

t.test('three servers migrate an empty database at once: each migration runs once', async (t) => {
  const { url: otherUrl, database } = await createTestDatabase(t)
  const name = `empty_${process.pid}`
  await database.query(`create database "${name}"`)
  const url = withDatabase(otherUrl, name)
  const logger = createLogger('silent')
  await Promise.all([migrate(url, logger), migrate(url, logger), migrate(url, logger)])
  await migrate(url, logger)

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select name from migrations order by id')
  const { rows: instances } = await client.query('select length(secret) as length from instance')
  const { rows: jobs } = await client.query('select count(*)::int as count from graphile_worker.jobs')
  await client.end()
  await database.query(`drop database "${name}" with (force)`)

  const files = (await readdir(new URL('../../migrations', import.meta.url))).filter((file) => file.endsWith('.sql'))
  t.same(
    rows.map((row) => `${row.name}.sql`),
    files.sort(),
  )
  t.same(instances, [{ length: 32 }])
  t.same(jobs, [{ count: 0 }])
})

t.test('a database that cannot be reached is Unavailable', async (t) => {
  await t.rejects(migrate('postgresql://nobody@127.0.0.1:1/none', createLogger('silent')), { code: 'Unavailable' })
})
