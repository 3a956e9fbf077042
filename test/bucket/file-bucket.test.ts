import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openFileBucket } from '../../src/bucket/file-bucket.ts'
import { chunksOf, testBucket } from '../contract/bucket.ts'

t.test('the contract', async (t) => {
  const folder = join(t.testdir(), 'new', 'bucket')
  await testBucket(t, async () => {
    const bucket = openFileBucket(folder)
    await bucket.probe()
    return { bucket, leftovers: async () => readdirSync(join(folder, '.incoming')) }
  })
})

t.test('signed links are not offered', async (t) => {
  const bucket = openFileBucket(t.testdir())
  t.equal(await bucket.signedGet('a', { expiresInSeconds: 60 }), undefined)
  const put = { sizeBytes: 1, sha256: '0'.repeat(64), expiresInSeconds: 60 }
  t.equal(await bucket.signedPut('a', { ...put, form: 'headers' }), undefined)
  t.equal(await bucket.signedPut('a', { ...put, form: 'query' }), undefined)
})

t.test('a put is not readable by other users, nor before it is complete', async (t) => {
  const folder = t.testdir()
  const bucket = openFileBucket(folder)
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    t.equal(await bucket.stat('k/a'), undefined)
    yield Buffer.from('whole')
  }
  t.equal(await bucket.put('k/a', source()), 9)
  t.equal(statSync(join(folder, 'k/a')).mode & 0o077, 0)
})

t.test('old leftovers of crashed uploads are swept at the probe, uploads of other processes are not', async (t) => {
  const folder = t.testdir()
  mkdirSync(join(folder, '.incoming'))
  for (const name of ['old', 'young']) writeFileSync(join(folder, '.incoming', name), 'half')
  const before = Date.now() / 1000 - 7200
  utimesSync(join(folder, '.incoming', 'old'), before, before)
  await openFileBucket(folder).probe()
  t.same(readdirSync(join(folder, '.incoming')), ['young'])
})

t.test('folders that an operator removed are made again', async (t) => {
  const folder = t.testdir()
  const bucket = openFileBucket(folder)
  await bucket.put('k/a/b', chunksOf(Buffer.from('x'), 1))
  await bucket.delete(['k/a/b'])
  rmSync(join(folder, 'k'), { recursive: true })
  rmSync(join(folder, '.incoming'), { recursive: true })
  t.equal(await bucket.put('k/a/b', chunksOf(Buffer.from('xy'), 1)), 2)
  t.equal((await bucket.stat('k/a/b'))?.sizeBytes, 2)
})

t.test('chunks come in the same memory again to who is done with them', async (t) => {
  const bucket = openFileBucket(t.testdir())
  const bytes = randomBytes(5_000_000)
  await bucket.put('large', chunksOf(bytes, 100_000))
  const memory = new Set<ArrayBufferLike>()
  const copies: Buffer[] = []
  for await (const chunk of await bucket.get('large', { start: 7, end: 4_999_990 }, { reusesChunks: true })) {
    memory.add(chunk.buffer)
    copies.push(Buffer.from(chunk))
  }
  t.ok(Buffer.concat(copies).equals(bytes.subarray(7, 4_999_991)))
  t.ok(copies.length > memory.size && memory.size <= 3, `${copies.length} chunks in ${memory.size} pieces of memory`)
})
