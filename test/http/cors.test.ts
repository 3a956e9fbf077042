import t from 'tap'
import { addPerson, addRepo, openDoors, openHouse } from '../support/house.ts'

t.test('a page of any origin may ask with its own token, and read what clients read', async (t) => {
  const hub = await openHouse(t)
  await addRepo(hub, await addPerson(hub, 'ada'), 'bert')
  const server = await openDoors(t, hub)
  for (const url of ['/ada/bert/resolve/main/x', '/api/models/ada/bert', '/api/whoami-v2', '/api/absent']) {
    const { headers } = await server.inject({ url, headers: { origin: 'http://page.example' } })
    t.equal(headers['access-control-allow-origin'], '*', url)
    t.match(headers['access-control-expose-headers'], /X-Repo-Commit.*X-Error-Code.*ETag.*Content-Range/)
    t.equal(headers['access-control-allow-credentials'], undefined)
  }
  const asked = await server.inject({
    method: 'OPTIONS',
    url: '/api/models/ada/bert/commit/main',
    headers: {
      origin: 'http://page.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  t.equal(asked.statusCode, 204)
  t.match(asked.headers, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': 'authorization,content-type',
  })
})
