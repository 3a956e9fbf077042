import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket } from '../../../src/bucket/bucket.ts'
import { insertLfsGrants, insertLfsObjects } from '../../../src/database/lfs-objects.ts'
import { git, temporaryFolder } from '../../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../../support/house.ts'

const content = Buffer.from('The weights, all of them.'.repeat(100))
const oid = createHash('sha256').update(content).digest('hex')
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`

async function openModel(t: Test, options: { bucket?: (bucket: Bucket) => Bucket; visibility?: 'private' } = {}) {
  const hub = await openHouse(t, { bucket: options.bucket })
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'model', { visibility: options.visibility })
  await hub.bucket.put(
    `lfs/${oid}.1`,
    (async function* () {
      yield content
    })(),
  )
  await insertLfsObjects(hub.database, [{ lfsOid: oid, sizeBytes: content.length, key: `lfs/${oid}.1` }])
  await insertLfsGrants(hub.database, repo.id, [oid])
  const address = await listen(t, hub)
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await writeFile(join(work, 'config.json'), '{"layers": 2}\n')
  await writeFile(join(work, 'weights.bin'), pointer)
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'One')
  await git(work, 'tag', '-am', 'First', 'v1')
  await git(work, 'mv', 'config.json', 'ü "x".json')
  await git(work, 'commit', '-qm', 'Two')
  await git(work, 'branch', 'feature/x')
  await git(work, 'push', '-q', gitUrl(address, ada, 'ada/model'), 'main', 'v1', 'feature/x', 'main:refs/pr/1')
  const [one, two] = [await git(work, 'rev-parse', 'HEAD~1'), await git(work, 'rev-parse', 'HEAD')]
  const blob = await git(work, 'rev-parse', 'HEAD~1:config.json')
  const server = await openDoors(t, hub)
  const get = (path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    server.inject({ method, url: `/ada/model${path}`, headers: { ...(options.visibility && ada.headers), ...headers } })
  return { hub, ada, one, two, blob, work, address, get }
}

t.test('a file at a commit', async (t) => {
  const { one, blob, get } = await openModel(t)
  const answer = await get(`/resolve/${one}/config.json`)
  t.equal(answer.statusCode, 200)
  t.equal(answer.body, '{"layers": 2}\n')
  t.match(answer.headers, {
    'x-repo-commit': one,
    etag: `"${blob}"`,
    'accept-ranges': 'bytes',
    'content-length': '14',
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': `inline; filename*=UTF-8''config.json; filename="config.json";`,
    'cache-control': 'public, max-age=31536000, immutable',
  })
  const head = await get(`/resolve/${one}/config.json`, {}, 'HEAD')
  t.equal(head.statusCode, 200)
  t.match(head.headers, { 'content-length': '14', etag: `"${blob}"`, 'x-repo-commit': one })
  t.equal(head.body, '')
  t.equal((await get(`/resolve/${one}/config.json`, { 'if-none-match': `W/"${blob}"` })).statusCode, 304)
  t.equal((await get(`/raw/${one}/config.json`)).body, '{"layers": 2}\n')
})

t.test('revisions of every spelling', async (t) => {
  const { one, two, get } = await openModel(t)
  const names = {
    main: two,
    HEAD: two,
    v1: one,
    'refs%2Fpr%2F1': two,
    'refs/pr/1': two,
    'feature%2Fx': two,
    'feature/x': two,
  }
  const abbreviated = {
    [one.slice(0, 7)]: one,
    [two.slice(0, 12)]: two,
    'refs%2Fheads%2Fmain': two,
    'refs/tags/v1': one,
  }
  for (const [revision, commitId] of Object.entries({ ...names, ...abbreviated })) {
    const answer = await get(`/raw/${revision}/weights.bin`)
    t.equal(answer.body, pointer, revision)
    t.equal(answer.headers['x-repo-commit'], commitId, revision)
    t.equal(answer.headers['cache-control'], 'public, no-cache', revision)
  }
  for (const revision of ['absent', 'a'.repeat(40), one.slice(0, 3), one.toUpperCase(), 'refs/heads', 'MAIN']) {
    const answer = await get(`/resolve/${revision}/weights.bin`)
    t.equal(answer.statusCode, 404, revision)
    t.equal(answer.headers['x-error-code'], 'RevisionNotFound', revision)
  }
})

t.test('what is not there', async (t) => {
  const { two, get } = await openModel(t)
  for (const path of ['config.json', 'weights.bin/x', 'a/b', '']) {
    const answer = await get(`/resolve/main/${path}`)
    t.equal(answer.statusCode, 404, path)
    t.match(answer.headers, { 'x-error-code': 'EntryNotFound', 'x-repo-commit': two }, path)
  }
  const odd = await get(`/resolve/main/${encodeURIComponent('ü "x".json')}`)
  t.equal(odd.body, '{"layers": 2}\n')
  t.equal(odd.headers['content-disposition'], `inline; filename*=UTF-8''%C3%BC%20%22x%22.json; filename="_ _x_.json";`)
})

t.test('ranges', async (t) => {
  const { one, get } = await openModel(t)
  for (const [path, whole] of [
    ['config.json', Buffer.from('{"layers": 2}\n')],
    ['weights.bin', content],
  ] as const) {
    const range = async (text: string) => await get(`/resolve/${one}/${path}`, { range: text })
    const size = whole.length
    const first = await range('bytes=0-0')
    t.equal(first.statusCode, 206)
    t.equal(first.headers['content-range'], `bytes 0-0/${size}`)
    t.same(first.rawPayload, whole.subarray(0, 1))
    t.same((await range('bytes=3-7')).rawPayload, whole.subarray(3, 8))
    t.same((await range('bytes=-4')).rawPayload, whole.subarray(-4))
    const clamped = await range(`bytes=5-${size}`)
    t.equal(clamped.headers['content-range'], `bytes 5-${size - 1}/${size}`)
    t.same(clamped.rawPayload, whole.subarray(5))
    const beyond = await range(`bytes=${size}-`)
    t.equal(beyond.statusCode, 416)
    t.equal(beyond.headers['content-range'], `bytes */${size}`)
    t.same((await range('bytes=0-1,4-5')).rawPayload, whole, 'several ranges: the whole')
  }
})

t.test('an LFS file, streamed', async (t) => {
  const { one, get } = await openModel(t)
  const answer = await get(`/resolve/${one}/weights.bin`)
  t.equal(answer.statusCode, 200)
  t.same(answer.rawPayload, content)
  t.match(answer.headers, {
    etag: `"${oid}"`,
    'x-linked-etag': `"${oid}"`,
    'x-linked-size': String(content.length),
    'content-length': String(content.length),
    'cache-control': /immutable/,
  })
  t.equal((await get(`/raw/${one}/weights.bin`)).body, pointer)
})

t.test('an LFS file, redirected to the store', async (t) => {
  const url = 'http://store.example/signed'
  const { one, get } = await openModel(t, {
    bucket: (bucket) => ({ ...bucket, put: bucket.put.bind(bucket), signedGet: async () => url }) as Bucket,
  })
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await get(`/resolve/${one}/weights.bin`, {}, method)
    t.equal(answer.statusCode, 302)
    t.match(answer.headers, {
      location: url,
      'x-linked-etag': `"${oid}"`,
      'x-repo-commit': one,
      'cache-control': 'no-store',
    })
    t.equal(answer.headers['x-linked-size'], String(content.length))
  }
})

t.test('private: cached by its reader alone', async (t) => {
  const { one, get } = await openModel(t, { visibility: 'private' })
  t.equal((await get(`/resolve/${one}/config.json`)).headers['cache-control'], 'private, max-age=31536000, immutable')
  t.equal((await get(`/resolve/${one}/config.json`, { authorization: '' })).statusCode, 401)
})

t.test('a pin outlives a forced push, but not for whoever never could see it', async (t) => {
  const { hub, ada, one, two, work, address, get } = await openModel(t)
  await git(work, 'push', '-qf', gitUrl(address, ada, 'ada/model'), 'HEAD~1:main', ':feature/x', ':refs/pr/1')
  t.equal((await get(`/resolve/${two}/weights.bin`)).statusCode, 200)
  t.equal((await get(`/resolve/main/weights.bin`)).headers['x-repo-commit'], one)
  await addRepo(hub, ada, 'other')
  t.equal((await get(`/../other/resolve/${two}/weights.bin`)).statusCode, 404)
})

t.test('HEAD and ranges of a branch lead to the commit, so that what follows is of the same one', async (t) => {
  const { one, two, get } = await openModel(t)
  for (const [revision, commitId] of [
    ['main', two],
    ['v1', one],
    ['feature%2Fx', two],
    ['feature/x', two],
    [one.slice(0, 9), one],
  ]) {
    const head = await get(`/resolve/${revision}/weights.bin?download=true`, {}, 'HEAD')
    t.equal(head.statusCode, 307, revision)
    t.match(head.headers, {
      location: `/ada/model/resolve/${commitId}/weights.bin?download=true`,
      'x-repo-commit': commitId,
      etag: `"${oid}"`,
      'x-linked-size': String(content.length),
      'cache-control': 'public, no-cache',
    })
    const range = await get(`/resolve/${revision}/weights.bin`, { range: 'bytes=0-0' })
    t.equal(range.headers.location, `/ada/model/resolve/${commitId}/weights.bin`)
    t.equal((await get(`/resolve/${revision}/weights.bin`)).statusCode, 200, 'one GET of the whole needs no more')
    const resumed = await get(`/resolve/${revision}/weights.bin`, { range: 'bytes=1-', 'if-range': `"${oid}"` })
    t.equal(resumed.statusCode, 206, 'a range of one content alone')
  }
  const odd = await get(`/raw/main/${encodeURIComponent('ü "x".json')}`, {}, 'HEAD')
  t.equal(odd.headers.location, `/ada/model/raw/${two}/%C3%BC%20%22x%22.json`)
  t.equal((await get('/resolve/main/absent', {}, 'HEAD')).statusCode, 404)
  t.equal((await get(`/resolve/${one}/weights.bin`, {}, 'HEAD')).statusCode, 200)
})
