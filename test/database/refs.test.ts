import t from 'tap'
import { commitPush } from '../../src/database/push-queue.ts'
import type { RefMove } from '../../src/database/pushes.ts'
import type { Database, RepoId, UserId } from '../../src/database/queryable.ts'
import { lockRepo, updateHeadTarget } from '../../src/database/repos.ts'
import { createTestDatabase, type Teardown } from '../support/postgres.ts'
import { readRefRows } from '../support/ref-rows.ts'
import { insertRepoRow } from '../support/repo-row.ts'

const id = (n: number) => n.toString(16).padStart(40, '0')

type Command = [name: string, oldId: number, newId: number, peeledId?: number]

async function setUp(t: Teardown) {
  const { database } = await createTestDatabase(t)
  const { repoId, userId } = await insertRepoRow(database)
  const push = (commands: Command[], atomic = false) => pushTo(database, { repoId, userId, commands, atomic })
  const names = async () => (await readRefRows(database, repoId))?.refs.map(({ name }) => name)
  const version = async () => Number((await readRefRows(database, repoId))?.version)
  return { database, repoId, userId, push, names, version }
}

interface Push {
  repoId: RepoId
  userId: UserId
  commands: Command[]
  atomic: boolean
}

/** Pushes in a transaction of its own; 0 stands for an absent ref. Resolves to the reasons. */
async function pushTo(database: Database, { repoId, userId, commands, atomic }: Push) {
  const toId = (n: number | undefined) => (n ? id(n) : undefined)
  const moves: RefMove[] = commands.map(([name, oldId, newId, peeledId]) => ({
    name,
    oldId: toId(oldId),
    newId: toId(newId),
    peeledId: toId(peeledId),
  }))
  const { results } = await commitPush(database, {
    repoId,
    actorId: userId,
    commands: moves,
    atomic,
    rulesVersion: '0',
  })
  t.same(
    results.map(({ name }) => name),
    commands.map(([name]) => name),
  )
  return results.map(({ reason }) => reason)
}

t.test('a snapshot holds HEAD, the versions and every ref in byte order', async (t) => {
  const { database, repoId, push } = await setUp(t)
  t.same(await readRefRows(database, repoId), {
    version: '0',
    packsVersion: '0',
    headTarget: 'refs/heads/main',
    refs: [],
  })
  await push([
    ['refs/tags/v1', 0, 5, 6],
    ['refs/heads/\xff\xe9', 0, 2],
    ['refs/heads/main', 0, 1],
    ['refs/heads/a-b', 0, 3],
    ['refs/heads/a/b', 0, 4],
  ])
  t.same(await readRefRows(database, repoId), {
    version: '1',
    packsVersion: '0',
    headTarget: 'refs/heads/main',
    refs: [
      { name: 'refs/heads/a-b', id: id(3), peeledId: undefined },
      { name: 'refs/heads/a/b', id: id(4), peeledId: undefined },
      { name: 'refs/heads/main', id: id(1), peeledId: undefined },
      { name: 'refs/heads/\xff\xe9', id: id(2), peeledId: undefined },
      { name: 'refs/tags/v1', id: id(5), peeledId: id(6) },
    ],
  })
  await database.query('delete from repos')
  t.equal(await readRefRows(database, repoId), undefined)
})

t.test('a ref moves only from where the pusher believes it to be', async (t) => {
  const { push, version } = await setUp(t)
  t.same(await push([['refs/notes/x', 0, 1]]), [undefined])
  t.same(await push([['refs/notes/x', 0, 2]]), ['fetch first'], 'exists already')
  t.same(await push([['refs/notes/x', 2, 3]]), ['fetch first'], 'is elsewhere')
  t.same(await push([['refs/notes/gone', 2, 3]]), ['fetch first'], 'is gone')
  t.same(await push([['refs/notes/x', 2, 0]]), ['fetch first'], 'delete from elsewhere')
  t.equal(await version(), 1)
  t.same(await push([['refs/notes/x', 1, 1]]), [undefined], 'nowhere to go')
  t.same(await push([['refs/notes/gone', 3, 0]]), [undefined], 'deleted already')
  t.equal(await version(), 1, 'nothing moved')
  t.same(await push([['refs/notes/x', 1, 2]]), [undefined])
  t.same(await push([['refs/notes/x', 2, 0]]), [undefined])
  t.equal(await version(), 3)
  t.same(
    await push([
      ['refs/notes/x', 0, 1],
      ['refs/notes/x', 0, 2],
    ]),
    ['multiple updates for this ref', 'multiple updates for this ref'],
  )
  t.same(await push([[`refs/notes/${'x'.repeat(1013)}`, 0, 1]]), [undefined])
  t.same(await push([[`refs/notes/${'x'.repeat(1014)}`, 0, 1]]), ['ref name too long'])
})

t.test('nobody deletes the branch that HEAD names', async (t) => {
  const { database, repoId, push, names } = await setUp(t)
  const prohibited = 'deletion of the current branch prohibited'
  t.same(await push([['refs/heads/main', 0, 0]]), [prohibited], 'not even before there is one')
  await push([
    ['refs/heads/main', 0, 1],
    ['refs/heads/old', 0, 1],
  ])
  const commands: Command[] = [
    ['refs/heads/main', 1, 0],
    ['refs/heads/main/x', 0, 2],
    ['refs/heads/old', 1, 0],
  ]
  const inTheWay = `'refs/heads/main' exists; cannot create 'refs/heads/main/x'`
  t.same(await push(commands, true), [prohibited, inTheWay, 'atomic transaction failed'])
  t.same(await names(), ['refs/heads/main', 'refs/heads/old'])
  t.same(await push(commands), [prohibited, inTheWay, undefined])
  t.same(await names(), ['refs/heads/main'])

  await push([['refs/heads/trunk', 0, 1]])
  t.equal(await database.transaction((tx) => updateHeadTarget(tx, repoId, 'refs/heads/trunk')), true)
  t.same(await push([['refs/heads/trunk', 1, 0]]), [prohibited])
  t.same(await push([['refs/heads/main', 1, 0]]), [undefined])
  t.same(await names(), ['refs/heads/trunk'])
})

t.test('a push that waits for HEAD to move sees where it went, and the other way round', async (t) => {
  const { database, repoId, push, names } = await setUp(t)
  await push([
    ['refs/heads/main', 0, 1],
    ['refs/heads/a', 0, 1],
  ])
  let deleted: ReturnType<typeof push> | undefined
  await database.transaction(async (tx) => {
    await lockRepo(tx, repoId)
    deleted = push([['refs/heads/a', 1, 0]])
    await untilSomebodyWaits(database)
    t.equal(await updateHeadTarget(tx, repoId, 'refs/heads/a'), true)
  })
  t.same(await deleted, ['deletion of the current branch prohibited'])

  let moved: Promise<boolean> | undefined
  await database.transaction(async (tx) => {
    const commands = [{ name: 'refs/heads/main', oldId: id(1), newId: undefined, peeledId: undefined }]
    t.ok((await commitPush(tx, { repoId, actorId: undefined, commands, atomic: false, rulesVersion: '0' })).applied)
    moved = database.transaction(async (other) => {
      await lockRepo(other, repoId)
      return await updateHeadTarget(other, repoId, 'refs/heads/main')
    })
    await untilSomebodyWaits(database)
  })
  t.equal(await moved, false)
  t.same(await names(), ['refs/heads/a'])
})

/** Resolves once a transaction waits for a lock of another. */
async function untilSomebodyWaits(database: Database): Promise<void> {
  const sql = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await database.query(sql)).length === 0);
}

t.test('commands are granted one by one, or all or none', async (t) => {
  const { push, names, version } = await setUp(t)
  await push([['refs/heads/main', 0, 1]])
  const commands: Command[] = [
    ['refs/heads/a', 0, 2],
    ['refs/heads/main', 9, 2],
    ['refs/heads/b', 0, 2],
  ]
  t.same(await push(commands, true), ['atomic transaction failed', 'fetch first', 'atomic transaction failed'])
  t.same(await names(), ['refs/heads/main'])
  t.equal(await version(), 1)
  t.same(await push(commands), [undefined, 'fetch first', undefined])
  t.same(await names(), ['refs/heads/a', 'refs/heads/b', 'refs/heads/main'])
  t.equal(await version(), 2)
})

t.test('a ref cannot be a folder of another', async (t) => {
  const { push, names } = await setUp(t)
  await push([
    ['refs/notes/a/b', 0, 1],
    ['refs/notes/a/c', 0, 1],
    ['refs/notes/z', 0, 1],
    ['refs/notes/z-1', 0, 1],
  ])
  const exists = (name: string, other: string) => `'refs/notes/${name}' exists; cannot create 'refs/notes/${other}'`
  t.same(await push([['refs/notes/a', 0, 2]]), [exists('a/c', 'a')])
  t.same(await push([['refs/notes/z/y/x', 0, 2]]), [exists('z', 'z/y/x')])
  t.same(await push([['refs/notes/a/b/c', 0, 2]]), [exists('a/b', 'a/b/c')])
  t.same(
    await push([
      ['refs/notes/z', 1, 0],
      ['refs/notes/z/y', 0, 2],
      ['refs/notes/z-1', 1, 2],
    ]),
    [undefined, undefined, undefined],
    'what the push deletes is out of the way',
  )
  t.same(
    await push([
      ['refs/notes/a/b', 1, 0],
      ['refs/notes/a', 0, 2],
    ]),
    [undefined, exists('a/c', 'a')],
    'what stays is not',
  )
  t.same(
    await push([
      ['refs/notes/a/c', 9, 0],
      ['refs/notes/a', 0, 2],
    ]),
    ['fetch first', exists('a/c', 'a')],
    'nor what it fails to delete',
  )
  t.same(
    await push([
      ['refs/notes/n/m', 0, 1],
      ['refs/notes/n', 0, 1],
      ['refs/notes/n/m/l', 0, 1],
    ]),
    [undefined, exists('n/m', 'n'), exists('n/m', 'n/m/l')],
    'the first of a push wins',
  )
  t.same(await names(), ['refs/notes/a/c', 'refs/notes/n/m', 'refs/notes/z-1', 'refs/notes/z/y'])
})

t.test('two pushes that get in each other’s way: one is in', async (t) => {
  const { push } = await setUp(t)
  for (let round = 1; round <= 10; round++) {
    const reasons = await Promise.all([
      push([[`refs/heads/${round}`, 0, 1]]),
      push([[`refs/heads/${round}/b`, 0, 1]]),
      push([[`refs/heads/${round}/b/c`, 0, 1]]),
    ])
    t.equal(reasons.flat().filter((reason) => reason === undefined).length, 1)
  }
})

t.test('sixteen writers race for one ref: each round has one winner', async (t) => {
  const { push, version } = await setUp(t)
  let current = 0
  for (let round = 1; round <= 10; round++) {
    const targets = Array.from({ length: 16 }, (_, writer) => round * 100 + writer)
    const reasons = (await Promise.all(targets.map((target) => push([['refs/heads/main', current, target]])))).flat()
    t.same(
      reasons.filter((reason) => reason !== undefined),
      Array(15).fill('fetch first'),
    )
    current = targets[reasons.indexOf(undefined)]
  }
  t.equal(await version(), 10)
})

t.test('the log says who moved what', async (t) => {
  const { database, userId, push } = await setUp(t)
  await push([['refs/notes/a', 0, 1]])
  await push([
    ['refs/notes/a', 1, 2],
    ['refs/heads/x', 5, 6],
    ['refs/heads/none', 3, 0],
  ])
  await push([['refs/notes/a', 2, 0]])
  const log = await database.query(
    `select version, encode(name, 'escape') as name, encode(old_id, 'hex') as "oldId", encode(new_id, 'hex') as "newId",
       actor_id as "actorId" from ref_log order by version`,
  )
  const name = 'refs/notes/a'
  t.same(log, [
    { version: '1', name, oldId: null, newId: id(1), actorId: userId },
    { version: '2', name, oldId: id(1), newId: id(2), actorId: userId },
    { version: '3', name, oldId: id(2), newId: null, actorId: userId },
  ])
})

t.test('a push whose transaction fails moved nothing; a deleted repository takes none', async (t) => {
  const { database, repoId, names } = await setUp(t)
  const commands = [{ name: 'refs/heads/main', oldId: undefined, newId: id(1), peeledId: undefined }]
  const push = { repoId, actorId: undefined, commands, atomic: false, rulesVersion: '0' }
  const failing = database.transaction(async (tx) => {
    t.equal((await commitPush(tx, push)).applied, true)
    throw new Error('later')
  })
  await t.rejects(failing, /later/)
  t.same(await names(), [])
  t.match(await commitPush(database, { ...push, commands: [] }), { results: [], applied: false })
  await database.query('delete from repos')
  await t.rejects(commitPush(database, push), { code: 'RepoNotFound' })
})
