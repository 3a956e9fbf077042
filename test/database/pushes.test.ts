/** The transaction of a push as one statement; how refs move in it is in refs.test.ts. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { insertLfsObjects } from '../../src/database/lfs-objects.ts'
import { listPacks } from '../../src/database/packs.ts'
import { commitPush } from '../../src/database/push-queue.ts'
import type { NewPush, PushedPack } from '../../src/database/pushes.ts'
import type { RepoId } from '../../src/database/queryable.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { readRefRows } from '../support/ref-rows.ts'
import { insertRepoRow } from '../support/repo-row.ts'

const id = (n: number) => n.toString(16).padStart(40, '0')
const oid = (n: number) => n.toString(16).padStart(64, '0')

function packOf(repoId: RepoId, parts: Partial<PushedPack> = {}): PushedPack {
  const row = {
    id: randomUUID(),
    repoId,
    isThin: true,
    checksum: Buffer.alloc(20, 2),
    objectCount: 3,
    packBytes: 4,
    indexBytes: 5,
    outsideIds: Buffer.from(id(9), 'hex'),
    tier: 'received' as const,
    sectionCounts: null,
    sectionEnds: null,
    sectionChecksums: null,
    rootIds: null,
    tipIds: null,
    inline: { pack: Buffer.from('pack'), index: Buffer.from('index') },
  }
  return { row, claims: [], isAdmin: false, allowMissingLfs: false, ...parts }
}

async function setUp(t: Parameters<typeof createTestDatabase>[0]) {
  const { database } = await createTestDatabase(t)
  const { repoId, userId } = await insertRepoRow(database)
  const push = (oldId: number, newId: number, pack?: PushedPack, jobs?: NewPush['jobs']) => {
    const command = { name: 'refs/heads/main', oldId: oldId === 0 ? undefined : id(oldId), newId: id(newId) }
    const commands = [{ ...command, peeledId: undefined }]
    return commitPush(database, { repoId, actorId: userId, commands, atomic: false, rulesVersion: '0', pack, jobs })
  }
  const standsAt = async () => {
    const [refs, packs] = await Promise.all([readRefRows(database, repoId), listPacks(database, repoId, [])])
    return { refs: refs?.refs.map((ref) => ref.id), packs: packs?.packs.map((pack) => pack.id) }
  }
  const grants = async () =>
    (await database.query<{ oid: string }>(`select encode(oid, 'hex') as oid from lfs_grants order by oid`)).map(
      (row) => row.oid,
    )
  return { database, repoId, userId, push, standsAt, grants }
}

t.test('refs, pack, its bytes and jobs come together, with the versions at which the repository stands', async (t) => {
  const { database, repoId, push, standsAt } = await setUp(t)
  const jobs = [{ name: 'compact', payload: { repoId }, key: `compact:${repoId}` }]
  const pack = packOf(repoId)
  const outcome = await push(0, 1, pack, jobs)
  const listed = await listPacks(database, repoId, [])
  t.match(outcome, { applied: true, refsVersion: '1', packsVersion: '1', packSequence: listed?.packs[0].sequence })
  t.match(listed?.packs, [
    { id: pack.row.id, isThin: true, isInline: true, objectCount: 3, packBytes: 4, indexBytes: 5 },
  ])
  t.same(listed?.inline.get(pack.row.id), pack.row.inline)
  t.same(await standsAt(), { refs: [id(1)], packs: [pack.row.id] })
  const noted = await database.query('select task_identifier as name, key from graphile_worker.jobs')
  t.same(noted, [{ name: 'compact', key: `compact:${repoId}` }])
})

t.test('a job that waits or has just failed keeps its time', async (t) => {
  const { database, push } = await setUp(t)
  const note = (key: string, runAt?: Date) => [{ name: 'compact', payload: {}, key, runAt }]
  const jobs = () => database.query('select key, run_at as "runAt", attempts from graphile_worker.jobs order by key')
  const later = new Date('2100-01-01T00:00:00Z')
  await push(0, 1, undefined, note('b', later))
  await push(1, 2, undefined, note('b'))
  await push(2, 3, undefined, note('a'))
  const waiting = { key: 'b', runAt: later, attempts: 0 }
  t.match(await jobs(), [{ key: 'a' }, waiting])

  const fail = (ago: string) =>
    database.query(
      `update graphile_worker._private_jobs set attempts = 2, run_at = $1, updated_at = now() - $2::interval where key = 'a'`,
      [later, ago],
    )
  await fail('1 minute')
  await push(3, 4, undefined, note('a'))
  t.match(await jobs(), [{ key: 'a', runAt: later, attempts: 2 }, waiting])
  await fail('11 minutes')
  await push(4, 5, undefined, note('a'))
  const [again] = await jobs()
  t.match(again, { key: 'a', attempts: 0 })
  t.not(Number((again as { runAt: Date }).runAt), Number(later))
})

t.test('a push of which nothing is granted leaves nothing', async (t) => {
  const { repoId, push, standsAt } = await setUp(t)
  await push(0, 1)
  const outcome = await push(2, 3, packOf(repoId))
  t.match(outcome, { applied: false, results: [{ reason: 'fetch first' }], packSequence: null, packsVersion: '0' })
  t.same(await standsAt(), { refs: [id(1)], packs: [] })
})

t.test('a pack becomes visible though its ref stands there already', async (t) => {
  const { repoId, push } = await setUp(t)
  await push(0, 1)
  t.match(await push(1, 1, packOf(repoId)), { applied: true, refsVersion: '1', packsVersion: '1' })
})

t.test('LFS objects that are missing take the whole push with them', async (t) => {
  const { database, repoId, push, standsAt, grants } = await setUp(t)
  const { repoId: openRepoId } = await insertRepoRow(database, 'open')
  await insertLfsObjects(database, [
    { lfsOid: oid(1), sizeBytes: 10, key: 'a' },
    { lfsOid: oid(2), sizeBytes: 20, key: 'b' },
  ])
  await database.query(`insert into lfs_grants select $1, oid from lfs_objects where key = 'a'`, [openRepoId])
  const readable = { lfsOid: oid(1), sizeBytes: 10 }
  for (const missing of [
    { lfsOid: oid(2), sizeBytes: 20 },
    { lfsOid: oid(3), sizeBytes: 30 },
    { lfsOid: oid(1), sizeBytes: 11 },
  ]) {
    await t.rejects(push(0, 1, packOf(repoId, { claims: [readable, missing] })), { code: 'BytesMissing' })
  }
  t.same(await standsAt(), { refs: [], packs: [] })
  const held = { lfsOid: oid(2), sizeBytes: 20 }
  t.ok((await push(0, 1, packOf(repoId, { claims: [readable, held, held], allowMissingLfs: true }))).applied)
  t.same(await grants(), [oid(1), oid(1)], 'of both repositories')
  t.equal((await push(1, 2, packOf(repoId, { claims: [readable] }))).applied, true)
})
