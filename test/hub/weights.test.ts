import t, { type Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { listFiles } from '../../src/hub/file-lists.ts'
import { readWeights } from '../../src/hub/weights.ts'
import { commitFiles, storeLfs } from '../support/commits.ts'
import { writeGguf } from '../support/gguf.ts'
import { addPerson, addRepo, type HouseOptions, openHouse } from '../support/house.ts'
import { writeSafetensors } from '../support/safetensors.ts'

async function openScene(t: Test, options: HouseOptions = {}) {
  const reads: number[] = []
  const counting = (bucket: Bucket): Bucket => ({
    ...bucket,
    get: (key, range) => {
      if (key.startsWith('lfs/')) reads.push(range === undefined ? -1 : range.end - range.start + 1)
      return bucket.get(key, range)
    },
  })
  const hub = await openHouse(t, { bucket: counting, ...options })
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const read = async (files: Record<string, string | Buffer>) => {
    const branch = `b${Math.random()}`
    const { repo: pushed, commitId } = await commitFiles(hub, repo, files, { branch })
    const listed = await listFiles(hub, pushed, { commitId, isDetailed: false })
    return await readWeights(hub, pushed, new Map(listed?.map(({ path, blobId }) => [path, blobId])))
  }
  return { hub, repo, reads, read }
}

t.test('one file of weights, in Git or by LFS, read in part', async (t) => {
  const { hub, repo, reads, read } = await openScene(t)
  const small = writeSafetensors({ a: [2, 3], b: [4] })
  t.same((await read({ 'model.safetensors': small })).safetensors, { parameters: { F32: 10 }, total: 10 })
  const large = writeSafetensors({ a: [1000, 1000], b: [1] })
  const pointer = await storeLfs(hub, repo, large)
  const counted = { parameters: { F32: 1_000_001 }, total: 1_000_001 }
  t.same((await read({ 'model.safetensors': pointer })).safetensors, counted)
  t.same(reads, [128 * 1024], 'one read of its beginning')
  t.same((await read({ 'model.safetensors': pointer, x: 'y' })).safetensors, counted)
  t.equal(reads.length, 1, 'what was read of the same content is kept')
})

t.test('a header longer than the first read, and one longer than the limit', async (t) => {
  const { hub, repo, reads, read } = await openScene(t, { limits: { weightsHeaderMaxBytes: 400_000 } })
  const shapes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`tensor.${n}`, [1, 1]]))
  const long = await storeLfs(hub, repo, writeSafetensors(shapes(4_000)))
  t.same((await read({ 'model.safetensors': long })).safetensors?.total, 4_000)
  t.equal(reads.length, 2)
  const longer = await storeLfs(hub, repo, writeSafetensors(shapes(8_000)))
  t.equal((await read({ 'model.safetensors': longer })).safetensors, undefined)
  t.equal(reads.length, 3)
})

t.test('shards are added up', async (t) => {
  const { hub, repo, read } = await openScene(t)
  const [one, two] = [writeSafetensors({ a: [10] }), writeSafetensors({ b: [5] }, 'BF16')]
  const index = { metadata: {}, weight_map: { a: 'one.safetensors', b: 'two.safetensors' } }
  const files = {
    'model.safetensors.index.json': JSON.stringify(index),
    'one.safetensors': await storeLfs(hub, repo, one),
    'two.safetensors': await storeLfs(hub, repo, two),
  }
  t.same((await read(files)).safetensors, { parameters: { F32: 10, BF16: 5 }, total: 15 })
  const incomplete = { ...files, 'two.safetensors': 'gone' }
  t.equal((await read(incomplete)).safetensors, undefined, 'not without one of them')
})

t.test('which file stands for the model', async (t) => {
  const { read } = await openScene(t)
  const [one, two] = [writeSafetensors({ a: [1] }), writeSafetensors({ a: [2] })]
  t.equal((await read({ 'adapter_model.safetensors': one, 'other.safetensors': two })).safetensors?.total, 1)
  t.equal((await read({ 'lora.safetensors': two })).safetensors?.total, 2)
  t.equal((await read({ 'a.safetensors': one, 'b.safetensors': two })).safetensors, undefined)
  t.same(await read({ 'model.safetensors': 'no such file' }), { safetensors: undefined, gguf: undefined })
})

t.test('GGUF files', async (t) => {
  const { hub, repo, reads, read } = await openScene(t)
  const words = Array.from({ length: 40_000 }, (_, n) => `word ${n}`)
  const keys = { 'general.architecture': 'llama', 'llama.context_length': 8192, 'tokenizer.ggml.tokens': words }
  const header = writeGguf(keys, [{ name: 'a', shape: [1000, 10] }], 8_000_000)
  const pointer = await storeLfs(hub, repo, header)
  const { gguf } = await read({ 'mmproj-model.gguf': 'x', 'model.Q4.gguf': pointer, 'model.Q8.gguf': 'y' })
  t.match(gguf, { total: 10_000, architecture: 'llama', context_length: 8192 })
  t.ok(Math.max(...reads) < header.length / 4, 'not whole')
  const shard = (n: number) => writeGguf({ 'general.architecture': 'x' }, [{ name: 'a', shape: [n] }])
  const shards = { 'm-00001-of-00002.gguf': shard(7), 'm-00002-of-00002.gguf': shard(8) }
  t.match((await read(shards)).gguf, { total: 15, architecture: 'x' })
  t.equal((await read({ 'm.gguf': 'no such file' })).gguf, undefined)
})

t.test('content that this repository has not been given is not read', async (t) => {
  const { hub, repo, reads } = await openScene(t)
  const pointer = await storeLfs(hub, repo, writeSafetensors({ a: [3, 33, 333] }))
  const kept = await commitFiles(hub, repo, { 'model.safetensors': pointer })
  await hub.database.query('delete from lfs_grants')
  const listed = await listFiles(hub, kept.repo, { commitId: kept.commitId, isDetailed: false })
  const root = new Map(listed?.map(({ path, blobId }) => [path, blobId]))
  t.equal((await readWeights(hub, kept.repo, root)).safetensors, undefined)
  t.same(reads, [])
})
