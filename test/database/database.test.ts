import t from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { readInstanceSecret } from '../../src/database/instance.ts'
import { HoldfastError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from '../support/postgres.ts'

t.test('values travel as the port says', async (t) => {
  const { database } = await createTestDatabase(t)
  const [row] = await database.query('select 9007199254740993::bigint as id, $1::bytea as name, now() as at', [
    Buffer.from('refs/heads/\xff', 'latin1'),
  ])
  t.match(row, { id: '9007199254740993', at: Date })
  t.same((row as { name: Buffer }).name, Buffer.from('refs/heads/\xff', 'latin1'))
  t.same(await database.query('select $1::int + 1 as n', [1], 'add-one'), [{ n: 2 }])
  t.equal((await readInstanceSecret(database)).length, 32)
})

t.test('a transaction commits, or leaves nothing', async (t) => {
  const { database } = await createTestDatabase(t)
  await database.query('create table notes (text text)')
  const insert = `insert into notes values ('x')`
  const count = async () => (await database.query<{ n: number }>('select count(*)::int as n from notes'))[0].n

  t.equal(await database.transaction((tx) => tx.query(insert).then(() => 'done')), 'done')
  t.equal(await count(), 1)

  const refusal = new HoldfastError('Conflict')
  const failing = database.transaction((tx) => tx.query(insert).then(() => Promise.reject(refusal)))
  await t.rejects(failing, refusal)
  t.equal(await count(), 1)

  const swallowing = database.transaction(async (tx) => {
    await tx.query(insert)
    await tx.query('select 1/0').catch(() => {})
  })
  await t.rejects(swallowing, /failed and its error was not passed on/)
  t.equal(await count(), 1)
})

t.test('a lost connection is Unavailable, and the next one works', async (t) => {
  const { database } = await createTestDatabase(t)
  const kill = 'select pg_terminate_backend(pg_backend_pid())'
  await t.rejects(database.query(kill), { code: 'Unavailable' })
  await t.rejects(
    database.transaction((tx) => tx.query(kill)),
    { code: 'Unavailable' },
  )
  // The backend goes while no statement runs on it.
  const idle = database.transaction(async (tx) => {
    const [{ pid }] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
    await database.query('select pg_terminate_backend($1, 5000)', [pid])
    await tx.query('select 1')
  })
  await t.rejects(idle, { code: 'Unavailable' })
  t.same(await database.query('select 1 as one'), [{ one: 1 }])
})

t.test('a database that is not there is Unavailable; a wrong statement is a defect', async (t) => {
  const { database } = await createTestDatabase(t)
  await t.rejects(database.query('selec'), { code: '42601' })
  const absent = openDatabase('postgresql://nobody@127.0.0.1:1/none', createLogger('silent'))
  await t.rejects(absent.query('select 1'), { code: 'Unavailable' })
  await t.rejects(
    absent.transaction((tx) => tx.query('select 1')),
    { code: 'Unavailable' },
  )
  await absent.close()
  await t.rejects(absent.query('select 1'), { code: 'Unavailable' })
})

t.test('a NUL in a text is the fault of who sent it', async (t) => {
  const { database } = await createTestDatabase(t)
  await t.rejects(database.query('select $1::text', ['a\0b']), { code: 'InputInvalid' })
  await t.rejects(
    database.transaction((tx) => tx.query('select $1::text[]', [['a\0b']])),
    { code: 'InputInvalid' },
  )
})
