/** What this server does not have is said at once, in the form that clients read. */
import t from 'tap'
import { addPerson, openDoors, openHouse } from '../../support/house.ts'

t.test('families of the Hub, by name', async (t) => {
  const server = await openDoors(t, await openHouse(t))
  const cases: Record<string, RegExp> = {
    '/api/jobs/ada': /jobs/,
    '/api/daily_papers?limit=1': /papers/,
    '/api/kernels/ada/flash': /kernels/,
    '/api/buckets/ada/b/tree': /buckets/,
    '/api/collections': /collections/,
    '/api/settings/webhooks': /webhooks/,
    '/api/models/ada/bert/discussions?p=0': /pull requests and discussions/,
    '/api/datasets/ada/d/discussions/1': /pull requests and discussions/,
    '/api/models/ada/bert/xet-write-token/main': /HF_HUB_DISABLE_XET=1/,
    '/api/spaces/ada/app/runtime': /Spaces/,
    '/api/constructor': /nothing at this address/,
    '/api/models/a/b/toString': /nothing at this address/,
    '/a/b/c/d': /nothing at this address/,
  }
  for (const [url, error] of Object.entries(cases)) {
    const answer = await server.inject({ url })
    t.equal(answer.statusCode, 404, url)
    t.match(answer.json(), { error }, url)
    t.match(answer.headers, { 'x-error-message': error, 'x-request-id': /./, 'content-type': /json/ }, url)
    t.equal(answer.headers['x-error-code'], undefined)
  }
  const head = await server.inject({ method: 'HEAD', url: '/api/telemetry/x' })
  t.equal(head.statusCode, 404)
  t.match(head.headers, { 'x-error-message': /telemetry/ })
  t.equal(head.body, '')
})

t.test('POST with a body of any type is refused as quickly', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  const server = await openDoors(t, hub)
  const answer = await server.inject({
    method: 'POST',
    url: '/api/models/ada/bert/discussions',
    headers: { ...ada.headers, 'content-type': 'application/x-odd' },
    payload: 'x',
  })
  t.match(answer.json(), { error: /discussions/ })
})
