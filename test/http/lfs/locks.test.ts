import t from 'tap'
import { askLfs, type LfsHouse, lfsMediaType, openLfsHouse, type Person } from '../../support/lfs.ts'

const base = '/ada/model.git/info/lfs/locks'

async function lock(house: LfsHouse, person: Person | undefined, path: string, ref?: string) {
  return await askLfs(house, person, 'POST', base, { path, ref: ref === undefined ? undefined : { name: ref } })
}

async function openTeam(t: Parameters<typeof openLfsHouse>[0], limits = {}) {
  const house = await openLfsHouse(t, { limits })
  const [ada, bob] = [await house.addPerson('ada'), await house.addPerson('bob')]
  const repo = await house.addRepo(ada, 'model')
  await house.share(repo, bob, 'write')
  return { house, ada, bob, repo }
}

t.test('a path is locked by one person at a time', async (t) => {
  const { house, ada, bob } = await openTeam(t)
  const path = 'mit leer zeichen/ünï☃ 🧠.bin'
  const created = await lock(house, ada, path, 'refs/heads/main')
  t.equal(created.statusCode, 201)
  t.match(created.headers['content-type'], lfsMediaType)
  t.match(created.json().lock, { id: String, path, owner: { name: 'ada' } })
  t.match(created.json().lock.locked_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

  const refused = await lock(house, bob, path, 'refs/heads/other')
  t.equal(refused.statusCode, 409)
  t.match(refused.json(), { lock: created.json().lock, message: /ada/, request_id: String })
  t.equal((await lock(house, ada, path)).statusCode, 409, 'not even twice by its owner')
  t.equal((await lock(house, bob, path.toUpperCase())).statusCode, 201, 'case counts')
})

t.test('of many who lock at once one succeeds', async (t) => {
  const { house, ada, bob } = await openTeam(t)
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => lock(house, n % 2 ? ada : bob, 'a.bin')))
  const statuses = answers.map((answer) => answer.statusCode).sort()
  t.same(statuses, [201, ...Array(9).fill(409)])
})

t.test('who may lock, and see locks', async (t) => {
  const { house, ada, repo } = await openTeam(t)
  const eve = await house.addPerson('eve')
  await house.addRepo(ada, 'closed', 'private')
  t.equal((await lock(house, undefined, 'a')).statusCode, 401)
  t.equal((await lock(house, eve, 'a')).statusCode, 403)
  t.equal((await askLfs(house, eve, 'POST', `${base}/verify`, {})).statusCode, 403)
  t.equal((await askLfs(house, eve, 'POST', `${base}/${repo.id}/unlock`, {})).statusCode, 403)
  t.equal((await askLfs(house, eve, 'GET', base)).statusCode, 200)
  t.equal((await askLfs(house, undefined, 'GET', base)).statusCode, 200)
  const closed = base.replace('model', 'closed')
  t.equal((await askLfs(house, undefined, 'GET', closed)).statusCode, 401)
  t.equal((await askLfs(house, eve, 'GET', closed)).statusCode, 404)
  t.equal((await askLfs(house, ada, 'GET', closed)).statusCode, 200)
})

t.test('paths that no file has cannot be locked', async (t) => {
  const { house, ada } = await openTeam(t, { lfsPathMaxBytes: 20 })
  for (const path of ['', '/a', 'a/../b', 'a\0b', 'x'.repeat(21)]) {
    t.equal((await lock(house, ada, path)).statusCode, 422, JSON.stringify(path))
  }
  t.equal((await askLfs(house, ada, 'POST', base, {})).statusCode, 422)
  t.equal((await lock(house, ada, 'x'.repeat(20))).statusCode, 201)
})

t.test('locks are listed by path and by id, from whatever branch', async (t) => {
  const { house, ada } = await openTeam(t)
  t.same((await askLfs(house, ada, 'GET', base)).json(), { locks: [] })
  const path = 'a b/ü&x=1.bin'
  const { id } = (await lock(house, ada, path, 'refs/heads/main')).json().lock
  await lock(house, ada, 'other.bin')
  const list = async (query: Record<string, string>) => {
    const answer = await askLfs(house, undefined, 'GET', `${base}?${new URLSearchParams(query)}`)
    return answer.json().locks.map((lock: { path: string }) => lock.path)
  }
  t.same(await list({}), [path, 'other.bin'])
  t.same(await list({ path }), [path])
  t.same(await list({ path: 'a\0' }), [])
  t.same(await list({ id }), [path])
  t.same(await list({ id, path: 'other.bin' }), [])
  t.same(await list({ id: 'x' }), [])
  t.same(await list({ path: '', id: '', cursor: '', limit: '', refspec: 'refs/heads/other' }), [path, 'other.bin'])
})

t.test('pages stay where they are while locks come and go', async (t) => {
  const { house, ada } = await openTeam(t, { lfsLocksPageMax: 4 })
  const ids: string[] = []
  for (const n of Array(10).keys()) ids.push((await lock(house, ada, `${n}`)).json().lock.id)
  const page = async (cursor: string | undefined, limit: number) => {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }) })
    const { locks, next_cursor } = (await askLfs(house, ada, 'GET', `${base}?${query}`)).json()
    return { paths: locks.map((lock: { path: string }) => lock.path), next: next_cursor }
  }
  const first = await page(undefined, 3)
  t.same(first.paths, ['0', '1', '2'])
  for (const n of [1, 2, 4]) await askLfs(house, ada, 'POST', `${base}/${ids[n]}/unlock`, {})
  await lock(house, ada, 'late')
  const second = await page(first.next, 3)
  t.same(second.paths, ['3', '5', '6'])
  t.same((await page(second.next, 100)).paths, ['7', '8', '9', 'late'], 'the server has a limit of its own')
  t.equal((await page(second.next, 100)).next, undefined, 'exactly full is the last')
  for (const query of ['cursor=x', 'limit=-1', 'limit=x', 'cursor=1%00']) {
    t.equal((await askLfs(house, ada, 'GET', `${base}?${query}`)).statusCode, 422, query)
  }
})

t.test('verification tells ours from theirs, page by page', async (t) => {
  const { house, ada, bob } = await openTeam(t)
  for (const [n, person] of [ada, bob, bob, ada].entries()) await lock(house, person, `${n}`)
  const verify = async (body: object) => (await askLfs(house, bob, 'POST', `${base}/verify`, body)).json()
  t.match(await verify({ ref: { name: 'refs/heads/main' }, cursor: '', limit: 0 }), {
    ours: [{ path: '1' }, { path: '2' }],
    theirs: [{ path: '0' }, { path: '3' }],
    next_cursor: undefined,
  })
  const first = await verify({ limit: 2 })
  t.match(first, { ours: [{ path: '1' }], theirs: [{ path: '0' }], next_cursor: String })
  const second = await verify({ limit: 2, cursor: first.next_cursor })
  t.match(second, { ours: [{ path: '2' }], theirs: [{ path: '3' }] })
  t.notOk('next_cursor' in second)
})

t.test('locks are released by their owners, and by force', async (t) => {
  const { house, ada, bob, repo } = await openTeam(t)
  const carl = await house.addPerson('carl')
  await house.share(repo, carl, 'write')
  const unlock = (person: Person, id: string, body: object = {}) =>
    askLfs(house, person, 'POST', `${base}/${id}/unlock`, body)
  const own = (await lock(house, bob, 'a')).json().lock
  t.match(await unlock(carl, own.id), { statusCode: 403 }, "somebody else's")
  t.match(await unlock(carl, own.id, { force: true }), { statusCode: 403 }, 'writing is not enough to force')
  const released = await unlock(bob, own.id, { force: false, ref: { name: 'refs/heads/main' } })
  t.equal(released.statusCode, 200)
  t.same(released.json(), { lock: own })
  t.match(await unlock(bob, own.id), { statusCode: 404 }, 'gone')
  t.match(await unlock(bob, 'no-such-id'), { statusCode: 404 })

  const forced = (await lock(house, bob, 'b')).json().lock
  t.match(await unlock(ada, forced.id), { statusCode: 403 }, 'administrators too have to say so')
  t.match(await unlock(ada, forced.id, { force: true }), { statusCode: 200 })
  const elsewhere = await house.addRepo(ada, 'other')
  const other = (await lock(house, bob, 'c')).json().lock
  const url = `/ada/${elsewhere.name}/info/lfs/locks/${other.id}/unlock`
  t.match(await askLfs(house, ada, 'POST', url, { force: true }), { statusCode: 404 }, 'of another repository')
})
