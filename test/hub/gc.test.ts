import { randomBytes } from 'node:crypto'
import t from 'tap'
import { lfsKey, newKeyId, packKey } from '../../src/bucket/keys.ts'
import { doomBytes } from '../../src/database/doomed-bytes.ts'
import { collectGarbage } from '../../src/hub/gc.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { deleteRepo } from '../../src/hub/repos.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'

const oid = 'ab'.repeat(32)

async function put(hub: Hub, key: string): Promise<string> {
  await hub.bucket.put(
    key,
    (async function* () {
      yield randomBytes(10)
    })(),
  )
  return key
}

async function keysOf(hub: Hub): Promise<string[]> {
  const keys: string[] = []
  for (const prefix of ['packs/', 'lfs/']) for await (const { key } of hub.bucket.list(prefix)) keys.push(key)
  return keys
}

/** Makes every key old: the grace period ends a second in the future. */
function withoutGrace(hub: Hub): Hub {
  return { ...hub, config: { ...hub.config, limits: { ...hub.config.limits, orphanBytesGraceSeconds: -1 } } }
}

async function insertPack(hub: Hub, repoId: string, packId: string): Promise<void> {
  await hub.database.query(
    `insert into packs (id, repo_id, is_thin, checksum, object_count, pack_bytes, index_bytes)
     values ($1, $2, false, $3, 1, 10, 10)`,
    [packId, repoId, Buffer.alloc(20)],
  )
}

t.test('what rows name stays; what no row names goes, once it is old', async (t) => {
  const hub = await openHouse(t)
  const repo = await addRepo(hub, await addPerson(hub, 'ann'), 'm')
  const packId = newKeyId()
  await insertPack(hub, repo.id, packId)
  const named = [
    await put(hub, packKey(repo.id, packId, 'pack')),
    await put(hub, packKey(repo.id, packId, 'idx')),
    await put(hub, lfsKey(oid, newKeyId())),
    await put(hub, 'packs/not-made-here'),
  ]
  await hub.database.query('insert into lfs_objects (oid, size_bytes, key) values ($1, 10, $2)', [
    Buffer.from(oid, 'hex'),
    named[2],
  ])
  const orphans = [
    await put(hub, packKey(repo.id, newKeyId(), 'pack')),
    await put(hub, packKey('4711', newKeyId(), 'idx')),
    await put(hub, lfsKey(oid, newKeyId())),
  ]
  const everything = [...named, ...orphans].sort()
  t.match(await collectGarbage(hub), { orphanKeys: 0 }, 'they may belong to an upload that still runs')
  t.match(await collectGarbage(withoutGrace(hub), { isDryRun: true }), { orphanKeys: 3, orphanBytes: 30 })
  t.same((await keysOf(hub)).sort(), everything, 'a dry run deletes nothing')
  t.match(await collectGarbage(withoutGrace(hub)), { orphanKeys: 3, orphanBytes: 30 })
  t.same((await keysOf(hub)).sort(), [...named].sort())
})

t.test('doomed bytes go at their time and not before, however old they are', async (t) => {
  const hub = await openHouse(t)
  const now = await put(hub, packKey('1', newKeyId(), 'pack'))
  const later = await put(hub, packKey('1', newKeyId(), 'pack'))
  const laterLfs = await put(hub, lfsKey(oid, newKeyId()))
  await doomBytes(hub.database, [now], -1)
  await doomBytes(hub.database, [later, laterLfs], 3600)
  const expected = { doomedKeys: 1, waitingKeys: 2, orphanKeys: 0 }
  t.match(await collectGarbage(withoutGrace(hub), { isDryRun: true }), expected)
  t.equal((await keysOf(hub)).length, 3)
  t.match(await collectGarbage(withoutGrace(hub)), expected)
  t.same((await keysOf(hub)).sort(), [later, laterLfs].sort())
  t.match(await collectGarbage(withoutGrace(hub)), { doomedKeys: 0, waitingKeys: 2 })
})

t.test('a deleted repository leaves its bytes to readers for a while, then nothing', async (t) => {
  const hub = await openHouse(t)
  const repo = await addRepo(hub, await addPerson(hub, 'ann'), 'm')
  const packId = newKeyId()
  await insertPack(hub, repo.id, packId)
  await put(hub, packKey(repo.id, packId, 'pack'))
  await put(hub, packKey(repo.id, packId, 'idx'))
  await deleteRepo(hub, repo)
  t.match(await collectGarbage(withoutGrace(hub)), { doomedKeys: 0, waitingKeys: 2, orphanKeys: 0 })
  t.equal((await keysOf(hub)).length, 2)
  await hub.database.query(`update doomed_bytes set delete_after = now()`)
  t.match(await collectGarbage(hub), { doomedKeys: 2, waitingKeys: 0 })
  t.same(await keysOf(hub), [])
})

t.test('old counts of failed sign-ins go with it', async (t) => {
  const hub = await openHouse(t)
  await hub.database.query(
    `insert into sign_in_failures (subject, window_start) values ('account:x', now() - interval '1 day'), ('account:y', now())`,
  )
  await collectGarbage(hub)
  t.same(await hub.database.query('select subject from sign_in_failures'), [{ subject: 'account:y' }])
})
