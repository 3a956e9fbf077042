import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { listPacks } from '../../src/database/packs.ts'
import { commitPush } from '../../src/database/push-queue.ts'
import type { NewPush } from '../../src/database/pushes.ts'
import type { Database, RepoId } from '../../src/database/queryable.ts'
import { HoldfastError } from '../../src/errors.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { readRefRows } from '../support/ref-rows.ts'
import { insertRepoRow } from '../support/repo-row.ts'

const id = (n: number) => n.toString(16).padStart(40, '0')

/** A push of a small pack that creates refs; `name` may name several. */
function pushOf(repoId: RepoId, ...names: string[]): NewPush {
  const row = {
    id: randomUUID(),
    repoId,
    isThin: false,
    checksum: Buffer.alloc(20, 2),
    objectCount: 3,
    packBytes: 4,
    indexBytes: 5,
    outsideIds: Buffer.alloc(0),
    tier: 'received' as const,
    sectionCounts: null,
    sectionEnds: null,
    sectionChecksums: null,
    rootIds: null,
    tipIds: null,
    inline: { pack: Buffer.from('pack'), index: Buffer.from('index') },
  }
  return {
    repoId,
    actorId: undefined,
    commands: names.map((name) => ({ name, oldId: undefined, newId: id(1), peeledId: undefined })),
    atomic: false,
    rulesVersion: '0',
    pack: { row, claims: [], isAdmin: false, allowMissingLfs: false },
  }
}

/** A repository, and a database that notes the statements and may be told to fail. */
async function setUp(t: Test) {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const statements: string[] = []
  const failures: Error[] = []
  const watched: Database = {
    ...database,
    query: async (sql, values, name) => {
      statements.push(name ?? '')
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return await database.query(sql, values, name)
    },
  }
  const commit = (push: NewPush) => commitPush(watched, push)
  const refNames = async () => (await readRefRows(database, repoId))?.refs.map(({ name }) => name)
  return { database, repoId, statements, failures, commit, refNames }
}

const branches = (count: number) => Array.from({ length: count }, (_, n) => `refs/heads/b${String(n).padStart(2, '0')}`)

t.test('pushes that come while one commits are committed together, in their order', async (t) => {
  const { database, repoId, statements, commit, refNames } = await setUp(t)
  const names = branches(20)
  const outcomes = await Promise.all(names.map((name) => commit(pushOf(repoId, name))))
  t.same(statements, ['commit-push-1', 'commit-push-16', 'commit-push-3'])
  t.same(
    outcomes.map(({ refsVersion, packsVersion }) => [refsVersion, packsVersion]),
    names.map((_, n) => [`${n + 1}`, `${n + 1}`]),
  )
  t.same(await refNames(), names)
  const sequences = (await listPacks(database, repoId))?.packs.map(({ sequence }) => sequence)
  t.same(
    outcomes.map(({ packSequence }) => packSequence),
    sequences,
  )
  await commit(pushOf(repoId, 'refs/heads/later'))
  t.equal(statements.at(-1), 'commit-push-1')
})

t.test('each is judged by what those before it did', async (t) => {
  const { database, repoId, commit } = await setUp(t)
  const names = ['refs/heads/a', 'refs/heads/b', 'refs/heads/b', 'refs/heads/b/c', 'refs/heads/d/e', 'refs/heads/d']
  const outcomes = await Promise.all(names.map((name) => commit(pushOf(repoId, name))))
  t.same(
    outcomes.map(({ results }) => results[0].reason),
    [
      undefined,
      undefined,
      'fetch first',
      "'refs/heads/b' exists; cannot create 'refs/heads/b/c'",
      undefined,
      "'refs/heads/d/e' exists; cannot create 'refs/heads/d'",
    ],
  )
  t.equal((await listPacks(database, repoId))?.packs.length, 3, 'no pack of a push that was refused')
})

t.test('repositories do not wait for each other', async (t) => {
  const { database, repoId, statements, commit } = await setUp(t)
  const other = await insertRepoRow(database, 'other')
  await Promise.all([repoId, other.repoId].map((id) => commit(pushOf(id, 'refs/heads/a'))))
  t.same(statements, ['commit-push-1', 'commit-push-1'])
})

t.test('one that fails takes no other with it', async (t) => {
  const { database, repoId, commit, refNames } = await setUp(t)
  const missing = pushOf(repoId, 'refs/heads/missing')
  if (missing.pack) missing.pack = { ...missing.pack, claims: [{ lfsOid: 'a'.repeat(64), sizeBytes: 1 }] }
  const odd = pushOf(repoId, 'refs/heads/odd')
  if (odd.pack) odd.pack.row.tier = 'nonsense' as 'merged'
  const pushes = [
    pushOf(repoId, 'refs/heads/a'),
    pushOf(repoId, 'refs/heads/b'),
    missing,
    odd,
    pushOf(repoId, 'refs/heads/c'),
  ]
  const [, b, ofMissing, ofOdd, c] = await Promise.allSettled(pushes.map(commit))
  t.match([b.status, c.status], ['fulfilled', 'fulfilled'])
  t.match(ofMissing, { status: 'rejected', reason: { code: 'BytesMissing' } })
  t.match(ofOdd, { status: 'rejected', reason: { code: '23514' } })
  t.same(await refNames(), ['refs/heads/a', 'refs/heads/b', 'refs/heads/c'])
  t.equal((await listPacks(database, repoId))?.packs.length, 3)
})

const lost = {
  'the database is gone': new HoldfastError('Unavailable'),
  'the answer did not come': Object.assign(new Error('write ENETUNREACH'), { code: 'ENETUNREACH' }),
}
for (const [how, failure] of Object.entries(lost))
  t.test(`${how}: nothing is tried again, and the next go on`, async (t) => {
    const { repoId, statements, failures, commit, refNames } = await setUp(t)
    const first = commit(pushOf(repoId, 'refs/heads/a'))
    failures.push(failure)
    const outcomes = await Promise.allSettled(['b', 'c'].map((name) => commit(pushOf(repoId, `refs/heads/${name}`))))
    await first
    for (const outcome of outcomes) t.match(outcome, { status: 'rejected', reason: failure })
    t.same(statements, ['commit-push-1', 'commit-push-2'])
    await commit(pushOf(repoId, 'refs/heads/d'))
    t.same(await refNames(), ['refs/heads/a', 'refs/heads/d'])
  })

t.test('a large push goes alone', async (t) => {
  const { repoId, statements, commit } = await setUp(t)
  const large = pushOf(repoId, ...Array.from({ length: 101 }, (_, n) => `refs/tags/t${n}`))
  const pushes = [...branches(3).map((name) => pushOf(repoId, name)), large, pushOf(repoId, 'refs/heads/z')]
  await Promise.all(pushes.map(commit))
  t.same(statements, ['commit-push-1', 'commit-push-2', 'commit-push-1', 'commit-push-1'])
})

t.test('a repository that is gone takes none of them', async (t) => {
  const { database, repoId, commit } = await setUp(t)
  await database.query('delete from repos')
  const outcomes = await Promise.allSettled(branches(3).map((name) => commit(pushOf(repoId, name))))
  for (const outcome of outcomes) t.match(outcome, { status: 'rejected', reason: { code: 'RepoNotFound' } })
})
