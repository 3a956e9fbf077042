import { randomUUID } from 'node:crypto'
import t from 'tap'
import { listDoomedBytes } from '../../src/database/doomed-bytes.ts'
import { listPacks, type NewPack, replacePacks } from '../../src/database/packs.ts'
import { commitPush } from '../../src/database/push-queue.ts'
import type { Database, RepoId } from '../../src/database/queryable.ts'
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
    sectionChecksums: null,
    rootIds: null,
    tipIds: null,
    inline: undefined,
  }
}

/** Makes a pack visible, as a push does that moves a ref. */
async function pushPack(database: Database, row: NewPack) {
  const command = { name: `refs/heads/${row.id}`, oldId: undefined, newId: '1'.repeat(40), peeledId: undefined }
  const pack = { row, claims: [], isAdmin: false, allowMissingLfs: false }
  await commitPush(database, {
    repoId: row.repoId,
    actorId: undefined,
    commands: [command],
    atomic: false,
    rulesVersion: '0',
    pack,
  })
}

t.test('packs are listed as they became visible', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  t.same(await listPacks(database, repoId), { packsVersion: '0', packs: [], inline: new Map() })
  const packs = [newPack(repoId, 'a'.repeat(20)), { ...newPack(repoId), isThin: true }, newPack(repoId, 'b'.repeat(20))]
  for (const pack of packs) await pushPack(database, pack)

  const listed = await listPacks(database, repoId)
  t.equal(listed?.packsVersion, '3')
  t.same(
    listed?.packs.map(({ sequence, ...pack }) => pack),
    packs.map(({ repoId: _, outsideIds, rootIds, inline, ...pack }) => ({ ...pack, isInline: false })),
  )

  await database.query('delete from repos')
  t.equal(await listPacks(database, repoId), undefined)
  await t.rejects(pushPack(database, newPack(repoId)), { code: 'RepoNotFound' })
})

t.test('the bytes of small packs come with the list, to whoever does not hold them yet', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const bytesOf = (text: string) => ({ pack: Buffer.from(`pack ${text}`), index: Buffer.from(`index ${text}`) })
  const [one, two] = ['one', 'two'].map((text) => ({ ...newPack(repoId), inline: bytesOf(text) }))
  for (const pack of [one, newPack(repoId), two]) await pushPack(database, pack)
  const inlineOf = async (heldIds?: string[]) => (await listPacks(database, repoId, heldIds))?.inline
  t.same(await inlineOf([]), new Map([one, two].map(({ id, inline }) => [id, inline])))
  t.same(await inlineOf([one.id]), new Map([[two.id, two.inline]]))
  t.same(await inlineOf(), new Map(), 'nobody who reads them')
  t.same(
    (await listPacks(database, repoId))?.packs.map(({ isInline }) => isInline),
    [true, false, true],
  )
  const swap = {
    repoId,
    removedPackIds: [one.id],
    added: [newPack(repoId)],
    bundles: [],
    doomedKeys: [],
    graceSeconds: 0,
  }
  await replacePacks(database, swap)
  t.same(await inlineOf([]), new Map([[two.id, two.inline]]))
  const rows = await database.query('select pack_id from inline_packs')
  t.equal(rows.length, 1, 'the bytes go with the row')
})

t.test('packs are swapped whole, and once', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const packs = [newPack(repoId), newPack(repoId), newPack(repoId)]
  for (const pack of packs) await pushPack(database, pack)
  const swap = (removed: NewPack[], added: NewPack) =>
    replacePacks(database, {
      repoId,
      removedPackIds: removed.map(({ id }) => id),
      added: [added],
      bundles: [{ packId: added.id, sizeBytes: 7 }],
      doomedKeys: removed.map(({ id }) => `packs/${id}`),
      graceSeconds: 0,
    })
  const ids = async () => (await listPacks(database, repoId))?.packs.map(({ id }) => id)

  const merged = newPack(repoId)
  const attempts = await Promise.allSettled([swap(packs.slice(0, 2), merged), swap(packs.slice(0, 2), newPack(repoId))])
  const failed = attempts.filter((attempt) => attempt.status === 'rejected')
  t.match(failed, [{ reason: { code: 'Conflict', message: /another compaction/ } }])
  t.equal((await listPacks(database, repoId))?.packsVersion, '4')
  t.equal((await ids())?.length, 2)
  t.equal((await ids())?.[0], packs[2].id)
  const bundles = await database.query('select size_bytes from bundles')
  t.same(bundles, [{ size_bytes: '7' }])
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
