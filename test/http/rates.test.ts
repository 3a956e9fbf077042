import t from 'tap'
import { addPerson, openDoors, openHouse } from '../support/house.ts'

t.test('so many requests a minute and no more, for each user and each address', async (t) => {
  const hub = await openHouse(t, { limits: { requestsPerMinuteMax: 3 } })
  const [ada, bob] = [await addPerson(hub, 'ada'), await addPerson(hub, 'bob')]
  const server = await openDoors(t, hub)
  const whoami = (person?: typeof ada, remoteAddress = '10.0.0.1') =>
    server.inject({ url: '/api/whoami-v2', headers: person?.headers, remoteAddress })
  for (let count = 0; count < 3; count++) t.equal((await whoami(ada)).statusCode, 200)
  const refused = await whoami(ada, '10.0.0.2')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { error: /^More than 3 requests in a minute\. Try again in \d+ seconds\.$/ })
  t.ok(Number(refused.headers['retry-after']) > 50)
  t.match(refused.headers.ratelimit, /^"api";r=0;t=(5\d|60)$/)
  t.equal((await whoami(bob)).statusCode, 200, 'the address of one is the address of another')

  const page = (remoteAddress: string) => server.inject({ url: '/', remoteAddress })
  for (let count = 0; count < 3; count++) t.equal((await page('10.0.0.3')).statusCode, 200)
  t.equal((await page('10.0.0.3')).statusCode, 429)
  t.equal((await page('10.0.0.4')).statusCode, 200)
  for (const url of ['/healthz', '/readyz', '/metrics']) {
    for (let count = 0; count < 4; count++) {
      t.equal((await server.inject({ url, remoteAddress: '10.0.0.3' })).statusCode, 200)
    }
  }
})

t.test('every answer tells how many are left, as huggingface_hub reads it', async (t) => {
  const server = await openDoors(t, await openHouse(t, { limits: { requestsPerMinuteMax: 500 } }))
  for (const left of [499, 498]) {
    const { headers } = await server.inject('/api/models')
    t.match(headers.ratelimit, new RegExp(`^"api";r=${left};t=(5\\d|60)$`))
    t.equal(headers['ratelimit-policy'], '"fixed window";"api";q=500;w=60')
  }
  t.equal((await server.inject('/healthz')).headers.ratelimit, undefined)
  const unlimited = await openDoors(t, await openHouse(t, { limits: { requestsPerMinuteMax: 0 } }))
  t.equal((await unlimited.inject('/api/models')).headers.ratelimit, undefined)
})
