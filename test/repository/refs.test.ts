import t, { type Test } from 'tap'
import { commitPush } from '../../src/database/push-queue.ts'
import type { Database } from '../../src/database/queryable.ts'
import { lockRepo, updateHeadTarget } from '../../src/database/repos.ts'
import type { RefSnapshot } from '../../src/git/repository.ts'
import { createRefReader } from '../../src/repository/refs.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { insertRepoRow } from '../support/repo-row.ts'

const id = (n: number) => n.toString(16).padStart(40, '0')

/** With the refs in the open. */
const listed = ({ refs, ...head }: RefSnapshot) => ({ ...head, refs: [...refs] })

/** A repository, a reader of its refs that stays, and what statements it makes. */
async function setUp(t: Test) {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const statements: (string | undefined)[] = []
  const counting: Database = {
    ...database,
    query: (sql, values, name) => {
      statements.push(name)
      return database.query(sql, values, name)
    },
  }
  let refsVersion = '0'
  const push = async (...commands: [name: string, oldId: number, newId: number, peeledId?: number][]) => {
    const toId = (n: number | undefined) => (n ? id(n) : undefined)
    const moves = commands.map(([name, oldId, newId, peeledId]) => {
      return { name, oldId: toId(oldId), newId: toId(newId), peeledId: toId(peeledId) }
    })
    const outcome = await commitPush(database, {
      repoId,
      actorId: undefined,
      commands: moves,
      atomic: true,
      rulesVersion: '0',
    })
    t.equal(outcome.applied, true)
    refsVersion = outcome.refsVersion
  }
  const reader = createRefReader(counting)
  const read = async () => (await reader.read({ id: repoId, refsVersion })).snapshot
  /** As another server has it now. */
  const readAnew = async () => listed((await createRefReader(database).read({ id: repoId, refsVersion })).snapshot)
  return { database, repoId, statements, push, read, readAnew, reader }
}

t.test('a snapshot is read once per version, and catches up by the log', async (t) => {
  const { statements, push, read, readAnew } = await setUp(t)
  await push(['refs/heads/main', 0, 1], ['refs/heads/b', 0, 2], ['refs/tags/v1', 0, 3, 1])
  const first = await read()
  t.same(listed(first), await readAnew())
  t.equal(await read(), first)
  await push(['refs/heads/b', 2, 0], ['refs/heads/main', 1, 4])
  await push(['refs/heads/a/\xe9', 0, 5], ['refs/tags/v1', 3, 6, 4], ['refs/heads/c', 0, 7])
  await push(['refs/heads/c', 7, 0])
  const second = await read()
  t.same(listed(second), await readAnew())
  t.equal(second.headId, id(4))
  t.same(
    second.refs.map(({ name }) => name),
    ['refs/heads/a/\xe9', 'refs/heads/main', 'refs/tags/v1'],
  )
  t.same(statements, ['read-ref-snapshot', 'read-ref-changes'])
})

t.test('HEAD moves without a line in the log', async (t) => {
  const { database, repoId, push, reader, readAnew } = await setUp(t)
  await push(['refs/heads/main', 0, 1], ['refs/heads/other', 0, 2])
  await reader.read({ id: repoId, refsVersion: '1' })
  await database.transaction(async (tx) => {
    await lockRepo(tx, repoId)
    await updateHeadTarget(tx, repoId, 'refs/heads/other')
  })
  const { refsVersion, snapshot } = await reader.read({ id: repoId, refsVersion: '2' })
  t.match(snapshot, { headTarget: 'refs/heads/other', headId: id(2) })
  t.equal(refsVersion, 2)
  t.same(listed(snapshot), await readAnew())
})

t.test('where much has moved all is read', async (t) => {
  const { statements, push, read, readAnew } = await setUp(t)
  await push(['refs/heads/main', 0, 1])
  await read()
  await push(...Array.from({ length: 3_000 }, (_, n) => [`refs/heads/b${n}`, 0, 2] as [string, number, number]))
  t.same(await read(), await readAnew())
  t.same(statements, ['read-ref-snapshot', 'read-ref-changes', 'read-ref-snapshot'])
})

t.test('a deleted repository has none', async (t) => {
  const { database, repoId, push, read, reader } = await setUp(t)
  await push(['refs/heads/main', 0, 1])
  await read()
  await database.query('delete from repos')
  await t.rejects(reader.read({ id: repoId, refsVersion: '2' }), { code: 'RepoNotFound' })
})
