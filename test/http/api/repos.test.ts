import t from 'tap'
import { addPerson, addRepo, openDoors, openHouse, type Person } from '../../support/house.ts'

async function openHub(t: Parameters<typeof openHouse>[0]) {
  const hub = await openHouse(t)
  hub.config.publicUrl = 'http://hub.example'
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const server = await openDoors(t, hub)
  const call = async (who: Person | undefined, method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) =>
    await server.inject({ method, url, headers: who?.headers, payload: body })
  return { hub, ada, eve, call }
}

t.test('create, describe, delete', async (t) => {
  const { ada, eve, call } = await openHub(t)
  const created = await call(ada, 'POST', '/api/repos/create', { name: 'bert', organization: null, type: 'dataset' })
  t.equal(created.statusCode, 200)
  t.same(created.json(), { url: 'http://hub.example/datasets/ada/bert', name: 'ada/bert', id: 'ada/bert' })
  const again = await call(ada, 'POST', '/api/repos/create', { name: 'bert', type: 'dataset', private: true })
  t.equal(again.statusCode, 409)
  t.match(again.json(), { error: /already/, url: 'http://hub.example/datasets/ada/bert' })

  const info = await call(undefined, 'GET', '/api/datasets/ada/bert')
  t.match(info.json(), { id: 'ada/bert', author: 'ada', private: false, tags: [], sha: /^[0-9a-f]{40}$/ })
  t.match(info.json().lastModified, /Z$/)
  t.same(info.json().siblings, [{ rfilename: '.gitattributes' }])
  for (const revision of ['main', 'HEAD', 'refs%2Fheads%2Fmain', 'refs/heads/main', info.json().sha]) {
    t.equal((await call(undefined, 'GET', `/api/datasets/ada/bert/revision/${revision}`)).json().sha, info.json().sha)
  }
  const detailed = (await call(undefined, 'GET', '/api/datasets/ada/bert?blobs=True')).json().siblings[0]
  t.match(detailed, { rfilename: '.gitattributes', blobId: /^[0-9a-f]{40}$/, size: Number })
  const picked = await call(undefined, 'GET', '/api/datasets/ada/bert?expand=sha&expand=author')
  t.same(Object.keys(picked.json()).sort(), ['_id', 'author', 'id', 'sha'])
  const absent = await call(undefined, 'GET', '/api/datasets/ada/bert/revision/absent')
  t.equal(absent.headers['x-error-code'], 'RevisionNotFound')
  const file = await call(undefined, 'GET', '/datasets/ada/bert/resolve/main/.gitattributes')
  t.match(file.body, /\*\.safetensors filter=lfs/)

  const address = { name: 'bert', organization: 'ada', type: 'dataset' }
  t.equal((await call(eve, 'DELETE', '/api/repos/delete', address)).statusCode, 403)
  t.equal((await call(undefined, 'DELETE', '/api/repos/delete', address)).statusCode, 401)
  t.equal((await call(ada, 'DELETE', '/api/repos/delete', address)).statusCode, 200)
  t.equal((await call(ada, 'GET', '/api/datasets/ada/bert')).headers['x-error-code'], 'RepoNotFound')
  t.equal((await call(ada, 'DELETE', '/api/repos/delete', address)).statusCode, 404)
})

t.test('an empty repository', async (t) => {
  const { hub, ada, call } = await openHub(t)
  await addRepo(hub, ada, 'empty')
  const info = (await call(undefined, 'GET', '/api/models/ada/empty')).json()
  t.same(info.siblings, [])
  t.notOk('sha' in info)
  t.equal((await call(undefined, 'GET', '/api/models/ada/empty/revision/main')).statusCode, 404)
})

t.test('lists', async (t) => {
  const { hub, ada, eve, call } = await openHub(t)
  for (const name of ['one', 'two', 'three']) await addRepo(hub, ada, name)
  await addRepo(hub, eve, 'two-too')
  await addRepo(hub, ada, 'hidden', { visibility: 'private' })
  await addRepo(hub, ada, 'data', { type: 'dataset' })
  const ids = async (who: Person | undefined, query: string) =>
    (await call(who, 'GET', `/api/models${query}`)).json().map((repo: { id: string }) => repo.id)
  t.same(await ids(undefined, ''), ['eve/two-too', 'ada/three', 'ada/two', 'ada/one'])
  t.same(await ids(ada, '?author=ada'), ['ada/hidden', 'ada/three', 'ada/two', 'ada/one'])
  t.same(await ids(eve, '?search=TWO'), ['eve/two-too', 'ada/two'])
  t.same(await ids(eve, '?search=two&search=too'), ['eve/two-too'])
  t.same(await ids(undefined, '?filter=text'), [])
  const page = await call(undefined, 'GET', '/api/models?limit=3&author=ada&search=o')
  t.same(page.headers.link, undefined)
  const first = await call(undefined, 'GET', '/api/models?limit=3')
  const [, next] = /^<http:\/\/hub\.example(.*)>; rel="next"$/.exec(String(first.headers.link)) ?? []
  const last = await call(undefined, 'GET', next!)
  t.same(
    last.json().map((repo: { id: string }) => repo.id),
    ['ada/one'],
  )
  t.equal(last.headers.link, undefined)
})
