import t, { type Test } from 'tap'
import { lfsKey } from '../../src/bucket/keys.ts'
import { deleteOldLfsOffers } from '../../src/database/lfs-uploads.ts'
import { findMissingLfs } from '../../src/hub/lfs-presence.ts'
import { proveUploads } from '../../src/hub/lfs-transfer.ts'
import type { Repo } from '../../src/hub/repo.ts'
import type { BatchObject } from '../../src/lfs/batch.ts'
import {
  askBatch,
  askLfs,
  type Content,
  type LfsHouse,
  linkOf,
  openLfsHouse,
  type Person,
  randomContent,
  uploadContent,
} from '../support/lfs.ts'

async function findMissing(house: LfsHouse, person: Person, repo: Repo, ...contents: Content[]): Promise<string[]> {
  const push = { repo, principal: person.principal, pointers: contents.map(pointerTo) }
  const missing = await house.hub.database.transaction((tx) => findMissingLfs(tx, push))
  return missing.map(({ lfsOid }) => lfsOid)
}

function pointerTo({ oid, size }: Content) {
  return { lfsOid: oid, sizeBytes: size }
}

t.test('who may point to which content', async (t) => {
  const house = await openLfsHouse(t)
  const [ada, bob, warden] = [
    await house.addPerson('ada'),
    await house.addPerson('bob'),
    await house.addPerson('warden', { isAdmin: true }),
  ]
  const [model, loot] = [await house.addRepo(ada, 'model', 'private'), await house.addRepo(bob, 'loot', 'private')]
  const [granted, proven, unknown] = [randomContent(), randomContent(), randomContent()]
  await uploadContent(house, ada, model, granted)
  await house.grant(model, granted)
  await uploadContent(house, ada, model, proven)

  t.same(await findMissing(house, ada, model, granted, proven, unknown, unknown), [unknown.oid])
  t.same(await findMissing(house, ada, model), [])
  t.same(await findMissing(house, bob, loot, granted, proven), [granted.oid, proven.oid].sort(), 'not a stranger')
  t.same(
    await findMissing(house, warden, loot, granted, proven),
    [proven.oid],
    'an administrator reads all repositories',
  )
  await house.share(model, bob, 'read')
  t.same(await findMissing(house, bob, loot, granted, proven), [proven.oid], 'a reader, what is granted')
  t.same(await findMissing(house, bob, model, granted, proven), [proven.oid], "not another's upload that no push took")
  const open = await house.addRepo(ada, 'open')
  t.same(await findMissing(house, ada, open, proven), [proven.oid], 'an upload counts where it was made')
  await house.grant(open, proven)
  t.same(await findMissing(house, bob, loot, proven), [], 'anybody, what is public')
})

t.test('a pointer that tells another size is refused, beside the one that tells the right size', async (t) => {
  const house = await openLfsHouse(t)
  const [ada, bob] = [await house.addPerson('ada'), await house.addPerson('bob')]
  const [repo, loot] = [await house.addRepo(ada, 'model', 'private'), await house.addRepo(bob, 'loot')]
  const content = randomContent()
  await uploadContent(house, ada, repo, content)
  const lfsOid = content.oid
  const pointers = [99, content.size, 101, 99].map((sizeBytes) => ({ lfsOid, sizeBytes }))
  const find = (person: Person, repo: Repo) =>
    house.hub.database.transaction((tx) => findMissingLfs(tx, { repo, principal: person.principal, pointers }))
  t.same(await find(ada, repo), [
    { lfsOid, sizeBytes: 99, heldBytes: 100 },
    { lfsOid, sizeBytes: 101, heldBytes: 100 },
  ])
  t.same(
    await find(bob, loot),
    [99, 100, 101].map((sizeBytes) => ({ lfsOid, sizeBytes, heldBytes: undefined })),
    'a stranger does not hear the size',
  )
})

t.test('what a push relies on cannot be collected meanwhile', async (t) => {
  const house = await openLfsHouse(t)
  const ada = await house.addPerson('ada')
  const repo = await house.addRepo(ada, 'model')
  const content = randomContent()
  await uploadContent(house, ada, repo, content)
  await house.hub.database.transaction(async (tx) => {
    t.same(await findMissingLfs(tx, { repo, principal: ada.principal, pointers: [pointerTo(content)] }), [])
    const sql = `delete from lfs_objects where oid in (select oid from lfs_objects for update skip locked) returning key`
    t.same(await house.hub.database.query(sql), [])
  })
})

/** A house whose bucket signs: the store is stood in for by writing below the key that was signed. */
async function openDirectHouse(t: Test) {
  const house = await openLfsHouse(t)
  const { hub } = house
  hub.bucket.signedPut = async (key, { sizeBytes, sha256 }) => ({
    url: `http://store.example/${key}?signed`,
    headers: { 'x-bound-to': `${sizeBytes} ${sha256}` },
  })
  hub.bucket.signedGet = async (key) => `http://store.example/${key}?get`
  const ada = await house.addPerson('ada')
  return { house, ada, repo: await house.addRepo(ada, 'model') }
}

function keyOf(object: BatchObject): string {
  const { href } = (object.actions as { upload: { href: string } }).upload
  return new URL(href).pathname.slice(1)
}

async function* once(bytes: Buffer) {
  yield bytes
}

t.test('direct uploads count once the store has them', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  const content = randomContent()
  const [object] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
  t.match(object, { authenticated: true, actions: { upload: { header: { 'x-bound-to': `100 ${content.oid}` } } } })
  const claim = { oid: content.oid, size: content.size }
  const verify = () => askLfs(house, undefined, 'POST', linkOf(object, 'verify'), claim)
  t.match(await verify(), { statusCode: 404 })
  await house.hub.bucket.put(keyOf(object!), once(content.bytes))
  t.same(await findMissing(house, ada, repo, content), [content.oid])
  t.match(await verify(), { statusCode: 200 })
  t.match(await verify(), { statusCode: 200 })
  t.same(await findMissing(house, ada, repo, content), [])
  t.same(await house.hub.database.query('select key from doomed_bytes'), [])
  await house.grant(repo, content)
  const [download] = await askBatch(house, undefined, repo, { operation: 'download', objects: [content] })
  t.match(download, { actions: { download: { href: `http://store.example/${keyOf(object!)}?get` } } })
})

t.test('a stub in the store proves nothing', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  const content = randomContent()
  const [object] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
  await house.hub.bucket.put(keyOf(object!), once(content.bytes.subarray(1)))
  const claim = { oid: content.oid, size: content.size }
  t.match(await askLfs(house, undefined, 'POST', linkOf(object, 'verify'), claim), { statusCode: 404 })
})

t.test('a client that never verifies is looked after', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  const contents = Array.from({ length: 50 }, () => randomContent())
  const objects = await askBatch(house, ada, repo, { operation: 'upload', objects: contents })
  for (const [n, object] of objects.slice(1).entries()) {
    await house.hub.bucket.put(keyOf(object), once(contents[n + 1]!.bytes))
  }
  const oids = contents.map((content) => content.oid)
  const bob = await house.addPerson('bob')
  await proveUploads(house.hub, repo, bob.principal, oids)
  t.equal((await findMissing(house, ada, repo, ...contents)).length, 50, "somebody else's push proves nothing")
  await proveUploads(house.hub, repo, ada.principal, oids)
  t.same(await findMissing(house, ada, repo, ...contents), [oids[0]])
  await house.hub.bucket.put(keyOf(objects[0]!), once(contents[0]!.bytes))
  await house.hub.database.query(`update lfs_uploads set created_at = now() - interval '1 day 1 minute'`)
  await proveUploads(house.hub, repo, ada.principal, oids)
  t.same(await findMissing(house, ada, repo, ...contents), [oids[0]], 'too late: a sweep may be at the bytes')
})

t.test('of two direct uploads of one content one key lives, and a doomed key never comes back', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  const content = randomContent()
  const ask = async () => (await askBatch(house, ada, repo, { operation: 'upload', objects: [content] }))[0]!
  const [first, second] = [await ask(), await ask()]
  const claim = { oid: content.oid, size: content.size }
  for (const object of [first, second]) {
    await house.hub.bucket.put(keyOf(object), once(content.bytes))
    t.match(await askLfs(house, undefined, 'POST', linkOf(object, 'verify'), claim), { statusCode: 200 })
  }
  const { database } = house.hub
  t.same(await database.query('select key from lfs_objects'), [{ key: keyOf(first) }])
  t.same(await database.query('select key from doomed_bytes'), [{ key: keyOf(second) }])
  await database.query('delete from lfs_objects')
  await askLfs(house, undefined, 'POST', linkOf(second, 'verify'), claim)
  await proveUploads(house.hub, repo, ada.principal, [content.oid])
  t.same(await database.query('select key from lfs_objects'), [])
})

t.test('above what the store takes in one piece, bytes come through the server', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  house.hub.config.limits.lfsSinglePutMaxBytes = 100
  const [small, large] = [randomContent(100), randomContent(101)]
  const objects = await askBatch(house, ada, repo, { operation: 'upload', objects: [small, large] })
  t.match(objects[0], { actions: { upload: { href: /^http:\/\/store\.example/ } } })
  const put = await house.server.inject({ method: 'PUT', url: linkOf(objects[1], 'upload'), payload: large.bytes })
  t.equal(put.statusCode, 200)
  t.same(await findMissing(house, ada, repo, large), [])
  t.equal(await house.hub.bucket.stat(lfsKey(large.oid, keyOf(objects[1]!).split('/').at(-1)!)), undefined)
})

t.test('offers that nobody took up are forgotten, proven uploads are not', async (t) => {
  const { house, ada, repo } = await openDirectHouse(t)
  const content = randomContent()
  await askBatch(house, ada, repo, { operation: 'upload', objects: [content, randomContent()] })
  const { database } = house.hub
  const count = async () => (await database.query('select id from lfs_uploads')).length
  await database.query(`update lfs_uploads set created_at = now() - interval '1 hour'`)
  await deleteOldLfsOffers(database, 3_700)
  t.equal(await count(), 2)
  await database.query(`update lfs_uploads set proven_at = now() where oid = decode($1, 'hex')`, [content.oid])
  await deleteOldLfsOffers(database, 3_500)
  t.equal(await count(), 1)
})
