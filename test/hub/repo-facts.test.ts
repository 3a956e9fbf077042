import t, { type Test } from 'tap'
import { readCommitFacts } from '../../src/hub/repo-facts.ts'
import { commitFiles, storeLfs } from '../support/commits.ts'
import { addPerson, addRepo, type HouseOptions, openHouse } from '../support/house.ts'
import { writeSafetensors } from '../support/safetensors.ts'

async function openScene(t: Test, options: HouseOptions = {}) {
  const hub = await openHouse(t, options)
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'model')
  const read = async (files: Record<string, string | Buffer>) => {
    const { commitId, repo: pushed } = await commitFiles(hub, repo, files, { branch: `b${Math.random()}` })
    return await readCommitFacts(hub, pushed, commitId)
  }
  return { hub, ada, repo, read }
}

const readme = '---\nlicense: mit\n---\n# Title\n'

t.test('a repository with more files than are listed is read from its root folder', async (t) => {
  const { read } = await openScene(t, { limits: { siblingsMax: 3 } })
  const files = { 'README.md': readme, a: '1', b: '2', c: '3', 'model.safetensors': writeSafetensors({ a: [5] }) }
  const { facts, files: names } = await read(files)
  t.match(facts, { license: 'mit', safetensors: { total: 5 }, tags: ['safetensors', 'license:mit'] })
  t.equal(names, undefined)
})

t.test('files that are too long, or lie elsewhere, say nothing', async (t) => {
  const { hub, repo, read } = await openScene(t, { limits: { metadataFileMaxBytes: 1000 } })
  t.equal((await read({ 'README.md': `${readme}${'x'.repeat(1000)}` })).facts.card, undefined)
  t.equal((await read({ 'README.md': await storeLfs(hub, repo, Buffer.from(readme)) })).facts.card, undefined)
  t.same((await read({ 'README.md': readme })).facts.card, { license: 'mit' })
  t.same((await read({ 'README.md': '---\nlicense: [\n---\n', 'config.json': '{' })).facts.tags, [])
})

t.test('a long card is read in a thread, and says the same', async (t) => {
  const { read } = await openScene(t, { threads: 1 })
  const tags = Array.from({ length: 3000 }, (_, n) => `- tag-${n}`)
  const { facts } = await read({ 'README.md': `---\nlicense: mit\ntags:\n${tags.join('\n')}\n---\n` })
  t.match(facts.card?.tags, { length: 3000 })
})

t.test('who asks at once is answered by one reading; bytes that are lost are left out', async (t) => {
  let reads = 0
  const { hub, repo } = await openScene(t, {
    bucket: (bucket) => ({
      ...bucket,
      get: (key, range) => {
        if (key.startsWith('lfs/')) reads++
        return bucket.get(key, range)
      },
    }),
  })
  const pointer = await storeLfs(hub, repo, writeSafetensors({ a: [7, 77] }))
  const { commitId, repo: pushed } = await commitFiles(hub, repo, { 'model.safetensors': pointer })
  const all = await Promise.all(Array.from({ length: 20 }, () => readCommitFacts(hub, pushed, commitId)))
  t.equal(reads, 1)
  t.equal(new Set(all).size, 1)
  t.equal(all[0].facts.safetensors?.total, 539)
  const lost = await storeLfs(hub, repo, writeSafetensors({ a: [6, 66] }))
  await hub.database.query(
    `update lfs_objects set key = 'lfs/gone' where size_bytes = (select min(size_bytes) from lfs_objects)`,
  )
  const next = await commitFiles(hub, pushed, { 'model.safetensors': lost, 'README.md': readme }, { branch: 'other' })
  const { facts } = await readCommitFacts(hub, next.repo, next.commitId)
  t.match(facts, { license: 'mit', safetensors: undefined })
})
