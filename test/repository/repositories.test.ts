import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import { findNewestRepo, makeBlobs, openRepositories, pushBlobs } from '../support/repositories.ts'

t.test('refs and objects are seen by who reads the repository after a push, not before', async (t) => {
  const house = await openRepositories(t)
  const before = await findNewestRepo(house)
  t.equal((await house.repositories.refs(before)).refs.length, 0)
  const [blob] = makeBlobs(1)
  await pushBlobs(house, [blob])
  const after = await findNewestRepo(house)
  await house.repositories.withObjects(after, async (objects) => {
    t.equal(objects.locate(blob.idBytes), 0)
    t.ok(objects.read(0).data.equals(blob.data))
  })
})

t.test('a pack that is damaged leaves nothing behind', async (t) => {
  const house = await openRepositories(t)
  const pack = formatFreshPack(makeBlobs(3))
  pack[pack.length - 25] ^= 1
  const repo = await findNewestRepo(house)
  await t.rejects(house.repositories.receivePack(repo, Readable.from([pack]), {}), { code: 'PackInvalid' })
  t.same(await listKeys(house), [])
})

t.test('what was received can be discarded after its upload', async (t) => {
  const house = await openRepositories(t, { inlinePackMaxBytes: 0 })
  const repo = await findNewestRepo(house)
  const quarantine = await house.repositories.receivePack(repo, Readable.from([formatFreshPack(makeBlobs(3))]), {})
  await quarantine.upload()
  t.equal((await listKeys(house)).length, 2)
  await quarantine.discard()
  quarantine.release()
  t.same(await listKeys(house), [])
})

for (const inlinePackMaxBytes of [0, 2 ** 18]) {
  t.test(
    `a reader keeps what it reads while packs are merged, their bytes deleted and the cache lost: up to ${inlinePackMaxBytes} bytes in the database`,
    async (t) => {
      const house = await openRepositories(t, { inlinePackMaxBytes })
      const blobs = makeBlobs(4)
      for (const blob of blobs) await pushBlobs(house, [blob])
      const repo = await findNewestRepo(house)
      const reading = house.repositories.streamObjects(repo, async function* (objects) {
        for (const blob of blobs) yield objects.read(objects.locate(blob.idBytes)).data
      })
      const iterator = reading[Symbol.asyncIterator]()
      t.ok(Buffer.from((await iterator.next()).value).equals(blobs[0].data))

      const oldKeys = await listKeys(house)
      t.equal((await house.repositories.compact(repo.id)).mergedPacks, 4)
      await house.bucket.delete(oldKeys)
      await rm(join(house.folder, 'cache'), { recursive: true, force: true })
      for (const blob of blobs.slice(1)) t.ok(Buffer.from((await iterator.next()).value).equals(blob.data))
      t.equal((await iterator.next()).done, true)

      await house.repositories.withObjects(await findNewestRepo(house), async (objects) => {
        for (const blob of blobs) t.ok(objects.read(objects.locate(blob.idBytes)).data.equals(blob.data))
      })
    },
  )
}

t.test('two compactions at once: one merges, the other finds a conflict or nothing to do', async (t) => {
  const house = await openRepositories(t, { inlinePackMaxBytes: 0 })
  for (const blob of makeBlobs(5)) await pushBlobs(house, [blob])
  const repo = await findNewestRepo(house)
  const outcomes = await Promise.allSettled([1, 2].map(() => house.repositories.compact(repo.id)))
  const merged = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value.mergedPacks === 5)
  t.equal(merged.length, 1)
  t.equal((await listKeys(house)).length, 10 + 2, 'the old bytes wait, the loser left none')
})

t.test('a blob of many megabytes streams', async (t) => {
  const house = await openRepositories(t)
  const data = Buffer.alloc(20 * 1024 * 1024, 'holdfast ')
  const [blob] = makeBlobs(1, data)
  await pushBlobs(house, [blob])
  const stream = house.repositories.streamObjects(await findNewestRepo(house), (objects) =>
    objects.stream(objects.locate(blob.idBytes)),
  )
  t.ok((await buffer(Readable.from(stream))).equals(data))
})

async function listKeys(house: Awaited<ReturnType<typeof openRepositories>>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of house.bucket.list('packs/')) keys.push(key)
  return keys
}
