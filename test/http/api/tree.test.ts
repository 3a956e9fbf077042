import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, temporaryFolder } from '../../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../../support/house.ts'

interface Entry {
  type: string
  path: string
  oid: string
  size: number
}

async function openFolders(t: Test, listPageMax = 1000) {
  const hub = await openHouse(t, { limits: { listPageMax } })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'data', { type: 'dataset' })
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await mkdir(join(work, 'train/deep'), { recursive: true })
  for (const path of ['README.md', 'train/a.txt', 'train/deep/b.txt', 'train/ü c.txt']) {
    await writeFile(join(work, path), `${path}\n`)
  }
  const oid = 'a'.repeat(64)
  await writeFile(
    join(work, 'weights.bin'),
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 5000000000\n`,
  )
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'One')
  const address = await listen(t, hub)
  // Without its bytes the pointer is refused: this test needs no more than its text.
  await hub.database.query(
    `insert into lfs_objects (oid, size_bytes, key) values (decode($1, 'hex'), 5000000000, 'k')`,
    [oid],
  )
  await hub.database.query(`insert into lfs_grants (repo_id, oid) select id, decode($1, 'hex') from repos`, [oid])
  await git(work, 'push', '-q', gitUrl(address, ada, 'datasets/ada/data'), 'main')
  const server = await openDoors(t, hub)
  const get = (url: string) => server.inject({ url: url.replace(/^http:\/\/[^/]+/, '') })
  return { get, work, commitId: await git(work, 'rev-parse', 'main') }
}

t.test('a folder lists what lies in it, with the ids that git shows', async (t) => {
  const { get, work, commitId } = await openFolders(t)
  const answer = await get('/api/datasets/ada/data/tree/main')
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['x-repo-commit'], commitId)
  const entries = answer.json() as (Entry & { lfs?: unknown })[]
  t.same(
    entries.map(({ type, path, size }) => [type, path, size]),
    [
      ['file', 'README.md', 10],
      ['directory', 'train', 0],
      ['file', 'weights.bin', 5_000_000_000],
    ],
  )
  t.equal(entries[1].oid, await git(work, 'rev-parse', 'main:train'))
  t.same(entries[2].lfs, { oid: 'a'.repeat(64), size: 5_000_000_000, pointerSize: 135 })
  t.equal(entries[0].lfs, undefined)
})

t.test('a path may come with its slashes encoded or not', async (t) => {
  const { get, commitId } = await openFolders(t)
  for (const path of ['train/deep', 'train%2Fdeep', 'train/deep/']) {
    const answer = await get(`/api/datasets/ada/data/tree/${commitId}/${path}?recursive=true&expand=false`)
    t.same(
      (answer.json() as Entry[]).map((entry) => entry.path),
      ['train/deep/b.txt'],
      path,
    )
  }
})

t.test('a missing folder, a file in its place, a missing revision', async (t) => {
  const { get, commitId } = await openFolders(t)
  for (const path of ['nowhere', 'README.md', 'README.md/x']) {
    const answer = await get(`/api/datasets/ada/data/tree/main/${path}`)
    t.equal(answer.statusCode, 404)
    t.match(answer.headers, { 'x-error-code': 'EntryNotFound', 'x-repo-commit': commitId })
  }
  t.match((await get('/api/datasets/ada/data/tree/other')).headers, { 'x-error-code': 'RevisionNotFound' })
})

t.test('pages follow their links to the end, and keep to their commit', async (t) => {
  const { get, commitId } = await openFolders(t, 2)
  const paths: string[] = []
  let url: string | undefined = '/api/datasets/ada/data/tree/main?recursive=True'
  for (let page = 0; url !== undefined; page++) {
    const answer: Awaited<ReturnType<typeof get>> = await get(url)
    paths.push(...(answer.json() as Entry[]).map((entry) => entry.path))
    url = /<(.*)>; rel="next"/.exec(String(answer.headers.link ?? ''))?.[1]
    if (page === 0) t.match(url, commitId)
  }
  t.same(paths, ['README.md', 'train', 'train/a.txt', 'train/deep', 'train/deep/b.txt', 'train/ü c.txt', 'weights.bin'])
  t.equal((await get('/api/datasets/ada/data/tree/main?cursor=1.x')).statusCode, 400)
  t.equal((await get(`/api/datasets/ada/data/tree/main?cursor=${'0'.repeat(40)}.1`)).statusCode, 404)
})

t.test('with the last commit of each entry, in pages of a hundred', async (t) => {
  const { get, work } = await openFolders(t)
  const url = '/api/datasets/ada/data/tree/main?expand=true&recursive=true&limit=3'
  const first = await get(url)
  const entries = [...first.json()]
  const [, next] = /<(.*)>; rel="next"/.exec(String(first.headers.link)) ?? []
  entries.push(...(await get(next!)).json())
  t.equal(entries.length, 6)
  for (const { path, lastCommit } of entries as (Entry & { lastCommit: object })[]) {
    const [id, date] = (await git(work, 'log', '-1', '--format=%H %ct', '--', path)).split(' ')
    t.same(lastCommit, { id, title: 'One', date: new Date(Number(date) * 1000).toISOString() }, path)
  }
  t.notOk('lastCommit' in (await get('/api/datasets/ada/data/tree/main')).json()[0])
})

t.test('a next page of another folder, or of nowhere', async (t) => {
  const { get, commitId } = await openFolders(t)
  const cursor = (place: string) => `cursor=${commitId}.${Buffer.from(place).toString('base64url')}`
  const status = async (path: string, place: string) =>
    (await get(`/api/datasets/ada/data/tree/main${path}?recursive=true&${cursor(place)}`)).statusCode
  t.equal(await status('', 'train/a.txt'), 200)
  t.equal(await status('/train', 'a.txt'), 200)
  for (const place of ['absent', 'train/', 'README.md/x', 'train/a.txt/', '/', 'weights.bin/']) {
    t.equal(await status('', place), 400, place)
  }
})
