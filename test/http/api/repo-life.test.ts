/** A repository's life through the Hub API, in all the forms that clients write it. */
import t from 'tap'
import { addPerson, openDoors, openHouse, type Person } from '../../support/house.ts'

async function openHub(t: Parameters<typeof openHouse>[0]) {
  const hub = await openHouse(t)
  hub.config.publicUrl = 'http://hub.example'
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const server = await openDoors(t, hub)
  const call = async (who: Person | undefined, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
    await server.inject({ method, url, headers: who?.headers, payload: body })
  const create = (who: Person | undefined, body: object) => call(who, 'POST', '/api/repos/create', body)
  return { hub, ada, eve, call, create }
}

t.test('who may create what', async (t) => {
  const { ada, call, create } = await openHub(t)
  const status = async (who: Person | undefined, body: object) => (await create(who, body)).statusCode
  t.equal(await status(undefined, { name: 'x' }), 401)
  t.equal(await status(ada, { name: 'x', organization: 'eve' }), 403)
  t.equal(await status(ada, { name: 'x', organization: 'nobody' }), 404)
  t.equal(await status(ada, { name: '..' }), 400)
  t.equal(await status(ada, { name: 'x', type: 'kernel' }), 400)
  t.equal(await status(ada, { name: 'x', visibility: 'protected' }), 400)
  t.equal(await status(ada, {}), 400)
  t.equal(await status(ada, { name: 'secret', private: true }), 200)
  t.equal(await status(ada, { name: 'secret-2', organization: null, visibility: 'private', private: null }), 200)
  for (const name of ['secret', 'secret-2']) {
    t.equal((await call(undefined, 'GET', `/api/models/ada/${name}`)).statusCode, 401)
    t.match((await call(ada, 'GET', `/api/models/ada/${name}`)).json(), { private: true })
  }
})

t.test('the name that exists is told with its address', async (t) => {
  const { ada, create } = await openHub(t)
  for (const type of ['model', 'dataset', 'space'] as const) {
    const body = { name: 'ada/bert', type, sdk: 'docker' }
    const made = await create(ada, body)
    t.same(made.json(), {
      url: `http://hub.example/${type === 'model' ? '' : `${type}s/`}ada/bert`,
      name: 'ada/bert',
      id: 'ada/bert',
    })
    const again = await create(ada, body)
    t.equal(again.statusCode, 409)
    t.match(again.json(), { error: `A ${type} repository called ada/bert already exists`, url: made.json().url })
  }
})

t.test('a Space says how it runs, a license stands in the README', async (t) => {
  const { ada, call, create } = await openHub(t)
  t.match((await create(ada, { name: 'app', type: 'space' })).json(), { error: /sdk/ })
  t.match((await create(ada, { name: 'app', type: 'space', sdk: 'static', template: 'x' })).json(), {
    error: /template/,
  })
  t.equal((await create(ada, { name: 'app', type: 'space', sdk: 'gradio' })).statusCode, 200)
  const readme = await call(ada, 'GET', '/spaces/ada/app/resolve/main/README.md')
  t.equal(readme.body, '---\ntitle: "app"\nsdk: gradio\n---\n')
  t.equal((await create(ada, { name: 'js', license: 'mit', files: [], private: false })).statusCode, 200)
  t.equal((await call(ada, 'GET', '/ada/js/resolve/main/README.md')).body, '---\nlicense: mit\n---\n')
  t.equal((await create(ada, { name: 'js-2', license: 'mit\nx: y' })).statusCode, 400)
})

t.test('settings', async (t) => {
  const { ada, eve, call, create } = await openHub(t)
  await create(ada, { name: 'bert' })
  const settings = (who: Person | undefined, body: object) => call(who, 'PUT', '/api/models/ada/bert/settings', body)
  t.equal((await settings(undefined, { private: true })).statusCode, 401)
  t.equal((await settings(eve, { private: true })).statusCode, 403)
  t.same((await settings(ada, { private: true })).json(), { visibility: 'private', private: true, gated: false })
  t.equal((await call(eve, 'GET', '/api/models/ada/bert')).statusCode, 404)
  t.same((await settings(ada, { gated: false })).json().visibility, 'private')
  t.equal((await settings(ada, { visibility: 'public' })).statusCode, 200)
  t.equal((await call(eve, 'GET', '/api/models/ada/bert')).statusCode, 200)
  for (const gated of ['auto', 'manual']) t.match((await settings(ada, { gated })).json(), { error: /gated/ })
  t.equal((await settings(ada, { visibility: 'open' })).statusCode, 400)
})

t.test('move: the old name leads on, until another repository takes it', async (t) => {
  const { ada, eve, call, create } = await openHub(t)
  await create(ada, { name: 'old' })
  await create(ada, { name: 'taken' })
  const move = (who: Person, fromRepo: string, toRepo: string) =>
    call(who, 'POST', '/api/repos/move', { fromRepo, toRepo, type: 'model' })
  t.equal((await move(eve, 'ada/old', 'eve/new')).statusCode, 403)
  t.equal((await move(ada, 'ada/old', 'eve/new')).statusCode, 403)
  t.match((await move(ada, 'ada/old', 'ada/taken')).json(), {
    error: 'A model repository called ada/taken already exists',
  })
  t.equal((await move(ada, 'old', 'ada/new')).statusCode, 400)
  t.equal((await move(ada, 'ada/old', 'ada/new')).statusCode, 200)
  const leads: Record<string, string> = {
    '/api/models/ada/old': '/api/models/ada/new',
    '/api/models/ADA/Old/revision/main?blobs=true': '/api/models/ada/new/revision/main?blobs=true',
    '/ada/old/resolve/main/a%2Fb.git?download=true': '/ada/new/resolve/main/a%2Fb.git?download=true',
    '/ada/old.git/info/refs?service=git-upload-pack': '/ada/new.git/info/refs?service=git-upload-pack',
  }
  for (const [from, to] of Object.entries(leads)) {
    const answer = await call(undefined, 'GET', from)
    t.equal(answer.statusCode, 307, from)
    t.equal(answer.headers.location, to)
  }
  const batch = await call(undefined, 'POST', '/ada/old.git/info/lfs/objects/batch', {})
  t.equal(batch.headers.location, '/ada/new.git/info/lfs/objects/batch')
  t.equal((await call(undefined, 'GET', '/api/datasets/ada/old')).statusCode, 401, 'another type')

  await call(ada, 'PUT', '/api/models/ada/new/settings', { private: true })
  t.equal((await call(eve, 'GET', '/api/models/ada/old')).statusCode, 404, 'whoever may not read it is not sent there')
  t.equal((await call(ada, 'GET', '/api/models/ada/old')).statusCode, 307)

  t.equal((await move(ada, 'ada/new', 'ada/newer')).statusCode, 200)
  t.equal((await call(ada, 'GET', '/api/models/ada/old')).headers.location, '/api/models/ada/newer')
  t.equal((await move(ada, 'ada/newer', 'ada/Old')).statusCode, 200, 'back again')
  t.match((await call(ada, 'GET', '/api/models/ada/old')).json(), { id: 'ada/Old' })
  t.equal((await move(ada, 'ada/old', 'ada/last')).statusCode, 200)

  t.equal((await create(ada, { name: 'old' })).statusCode, 200)
  t.match((await call(ada, 'GET', '/api/models/ada/old')).json(), { id: 'ada/old' })
  await call(ada, 'DELETE', '/api/repos/delete', { name: 'old' })
  t.equal((await call(ada, 'GET', '/api/models/ada/old')).statusCode, 404, 'and keeps it when it is deleted')
  await call(ada, 'DELETE', '/api/repos/delete', { name: 'last' })
  t.equal((await call(ada, 'GET', '/api/models/ada/newer')).statusCode, 404)
})

t.test('a repository asked for under the wrong type is hinted at, to whoever may read it', async (t) => {
  const { ada, eve, call, create } = await openHub(t)
  await create(ada, { name: 'bert', type: 'dataset' })
  const asked = await call(undefined, 'GET', '/api/models/ada/bert')
  t.equal(asked.statusCode, 401)
  t.match(asked.headers, { 'x-error-code': 'RepoNotFound', 'x-error-message': /repo_type="dataset"/ })
  t.match((await call(eve, 'GET', '/ada/bert/resolve/main/x')).json(), { error: /a dataset of this name/ })
  // A private one of the right type must not show in the hint's absence.
  const beside = async () => {
    const answers = [
      await call(eve, 'GET', '/api/models/ada/bert'),
      await call(undefined, 'GET', '/ada/bert/raw/main/x'),
    ]
    return answers.map(({ statusCode, headers, body }) => [statusCode, headers['x-error-message'], body])
  }
  const before = await beside()
  await create(ada, { name: 'bert', private: true })
  t.same(await beside(), before)
  await call(ada, 'DELETE', '/api/repos/delete', { name: 'bert' })
  await call(ada, 'PUT', '/api/datasets/ada/bert/settings', { private: true })
  t.equal((await call(eve, 'GET', '/api/models/ada/bert')).headers['x-error-message'], 'Repository not found: ada/bert')
  t.match((await call(ada, 'GET', '/api/models/ada/bert')).headers, { 'x-error-message': /dataset/ })
})

t.test('files that come with it are committed, or there is no repository', async (t) => {
  const { ada, call, create } = await openHub(t)
  const file = (path: string, content = 'YQo=') => ({ path, content, encoding: 'base64' })
  t.equal((await create(ada, { name: 'js', files: [file('a b/c.txt'), file('d.txt', 'Yg==')] })).statusCode, 200)
  t.equal((await call(ada, 'GET', '/ada/js/resolve/main/a%20b/c.txt')).body, 'a\n')
  t.equal((await call(ada, 'GET', '/ada/js/resolve/main/d.txt')).body, 'b')
  for (const files of [[file('../x')], [file('x', '?')], [file('ok'), file('.git/config')]]) {
    t.ok((await create(ada, { name: 'bad', files })).statusCode >= 400)
    t.equal((await call(ada, 'GET', '/api/models/ada/bad')).statusCode, 404)
  }
})
