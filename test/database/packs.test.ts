import { randomUUID } from 'node:crypto'
import t from 'tap'
import { listDoomedBytes } from '../../src/database/doomed-bytes.ts'
import { insertPack, listPacks, type NewPack, replacePacks } from '../../src/database/packs.ts'
import type { RepoId } from '../../src/database/queryable.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { insertRepoRow } from '../support/repo-row.ts'

function newPack(repoId: RepoId, outside = ''): NewPack {
  return {
    id: randomUUID(),
    repoId,
    isThin: false,
    checksum: Buffer.alloc(20, 1),
    objectCount: 3,
    packBytes: 2 ** 40,
    indexBytes: 1100,
    outsideIds: Buffer.from(outside),
    tier: 'received',
    sectionCounts: null,
    sectionEnds: null,
    rootIds: null,
    tipIds: null,
  }
}

t.test('packs are listed as they became visible', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  t.same(await listPacks(database, repoId), { packsVersion: '0', packs: [] })
  const packs = [newPack(repoId, 'a'.repeat(20)), { ...newPack(repoId), isThin: true }, newPack(repoId, 'b'.repeat(20))]
  for (const pack of packs) await database.transaction((tx) => insertPack(tx, pack))

  const listed = await listPacks(database, repoId)
  t.equal(listed?.packsVersion, '3')
  t.same(
    listed?.packs.map(({ sequence, ...pack }) => pack),
    packs.map(({ repoId: _, outsideIds, rootIds, ...pack }) => pack),
  )

  await database.query('delete from repos')
  t.equal(await listPacks(database, repoId), undefined)
  await t.rejects(insertPack(database, newPack(repoId)), { code: 'RepoNotFound' })
})

t.test('packs are swapped whole, and once', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const packs = [newPack(repoId), newPack(repoId), newPack(repoId)]
  for (const pack of packs) await insertPack(database, pack)
  const swap = (removed: NewPack[], added: NewPack) =>
    database.transaction((tx) =>
      replacePacks(tx, {
        repoId,
        removedPackIds: removed.map(({ id }) => id),
        added: [added],
        doomedKeys: removed.map(({ id }) => `packs/${id}`),
        graceSeconds: 0,
      }),
    )
  const ids = async () => (await listPacks(database, repoId))?.packs.map(({ id }) => id)

  const merged = newPack(repoId)
  const attempts = await Promise.allSettled([swap(packs.slice(0, 2), merged), swap(packs.slice(0, 2), newPack(repoId))])
  const failed = attempts.filter((attempt) => attempt.status === 'rejected')
  t.match(failed, [{ reason: { code: 'Conflict', message: /another compaction/ } }])
  t.equal((await listPacks(database, repoId))?.packsVersion, '4')
  t.equal((await ids())?.length, 2)
  t.equal((await ids())?.[0], packs[2].id)
  t.same(
    await listDoomedBytes(database, 10),
    packs
      .slice(0, 2)
      .map(({ id }) => `packs/${id}`)
      .sort(),
  )

  await t.rejects(swap([packs[2], packs[0]], newPack(repoId)), { code: 'Conflict' })
  t.ok((await ids())?.includes(packs[2].id), 'a swap that fails leaves everything')
  await database.query('delete from repos')
  await t.rejects(swap([], newPack(repoId)), { code: 'RepoNotFound' })
})
