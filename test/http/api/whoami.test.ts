import t from 'tap'
import { createOrganization } from '../../../src/hub/organizations.ts'
import { addPerson, addRepo, openDoors, openHouse, type Person } from '../../support/house.ts'

async function openHub(t: Parameters<typeof openHouse>[0]) {
  const hub = await openHouse(t)
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const server = await openDoors(t, hub)
  const get = (who: Partial<Person> | undefined, url: string, method: 'GET' | 'HEAD' = 'GET') =>
    server.inject({ method, url, headers: who?.headers })
  return { hub, ada, eve, get }
}

t.test('who am I', async (t) => {
  const { hub, ada, get } = await openHub(t)
  await createOrganization(hub, 'lab', 'ada')
  t.match((await get(ada, '/api/whoami-v2')).json(), {
    name: 'ada',
    type: 'user',
    id: String,
    emailVerified: false,
    canPay: false,
    isPro: false,
    periodEnd: null,
    orgs: [{ type: 'org', name: 'lab', fullname: 'lab', roleInOrg: 'admin', id: String, avatarUrl: '' }],
    auth: { accessToken: { displayName: 'test', role: 'write' } },
  })
  t.equal((await get(undefined, '/api/whoami-v2')).statusCode, 401)
})

t.test('a wrong token is told apart from a missing repository', async (t) => {
  const { get } = await openHub(t)
  const wrong = { headers: { authorization: 'Bearer hf_wrong' } }
  for (const url of ['/api/whoami-v2', '/api/models/ada/absent', '/ada/absent/resolve/main/config.json']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await get(wrong, url, method)
      t.equal(answer.statusCode, 401)
      t.equal(answer.headers['x-error-message'], 'Invalid credentials in Authorization header')
      t.equal(answer.headers['x-error-code'], undefined)
      t.ok(answer.headers['x-request-id'])
    }
  }
  const absent = await get(undefined, '/ada/absent/resolve/main/config.json', 'HEAD')
  t.equal(absent.statusCode, 401)
  t.equal(absent.headers['x-error-code'], 'RepoNotFound')
})

t.test('auth-check', async (t) => {
  const { hub, ada, eve, get } = await openHub(t)
  await addRepo(hub, ada, 'open')
  await addRepo(hub, ada, 'secret', { visibility: 'private' })
  const status = async (who: Person | undefined, path: string) => (await get(who, `/api/models/ada/${path}`)).statusCode
  t.equal(await status(undefined, 'open/auth-check'), 200)
  t.equal(await status(undefined, 'open/auth-check/write'), 401)
  t.equal(await status(eve, 'open/auth-check/write'), 403)
  t.equal(await status(ada, 'open/auth-check/write'), 200)
  t.equal(await status(eve, 'secret/auth-check'), 404)
  t.equal(await status(eve, 'secret/auth-check/write'), 404)
  t.equal(await status(ada, 'secret/auth-check/write'), 200)
})
