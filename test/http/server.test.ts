import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { addPerson, addRepo, listen, openDoors, openHouse } from '../support/house.ts'
import { openRaw } from '../support/raw-http.ts'

t.test('health', async (t) => {
  let isBroken = false
  const breakable = (bucket: Bucket): Bucket =>
    Object.assign(Object.create(bucket), {
      stat: async (key: string) => {
        if (isBroken) throw new Error('the store is away')
        return await bucket.stat(key)
      },
    })
  const server = await openDoors(t, await openHouse(t, { bucket: breakable }))
  t.same((await server.inject('/healthz')).json(), { status: 'ok' })
  t.same((await server.inject('/readyz')).json(), { status: 'ok', database: true, bucket: true })
  isBroken = true
  const answer = await server.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.same(answer.json(), { status: 'unavailable', database: true, bucket: false })
  t.equal((await server.inject('/healthz')).statusCode, 200)
})

t.test('metrics count by door and status, and name nobody', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const server = await openDoors(t, hub)
  await server.inject('/ada/model/info/refs?service=git-upload-pack')
  await server.inject('/ada/absent/info/refs?service=git-upload-pack')
  const { body, headers } = await server.inject('/metrics')
  t.match(headers['content-type'], /^text\/plain/)
  t.match(body, 'holdfast_http_request_duration_seconds_count{door="git",status="200"} 1')
  t.match(body, 'holdfast_http_request_duration_seconds_count{door="git",status="401"} 1')
  t.match(body, 'process_resident_memory_bytes')
  t.notMatch(body, 'ada')
})

t.test('the page at the root', async (t) => {
  const hub = await openHouse(t)
  hub.config.publicUrl = 'http://hub.example?<&'
  const server = await openDoors(t, hub)
  const page = await server.inject('/')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-security-policy'], /default-src 'none'/)
  t.match(page.body, 'git clone http://hub.example?&#60;&#38;/ada/first-model')
  t.notMatch(page.body, /<script|style=/)
  t.equal((await server.inject({ method: 'HEAD', url: '/' })).body, '')
  t.match((await server.inject('/style.css')).headers['content-type'], /^text\/css/)
})

t.test('one line per request, and no secret in it', async (t) => {
  const lines: Record<string, unknown>[] = []
  const stream = new PassThrough()
  stream.on('data', (line) => lines.push(JSON.parse(line)))
  const hub = await openHouse(t, { logger: pino(stream) })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const address = await listen(t, hub)
  const answers = [
    await fetch(new URL('/ada/model/info/refs?service=git-receive-pack', address), { headers: ada.headers }),
    await fetch(new URL('/api/bytes/lfs/objects/x?expires=1&signature=sssecret', address)),
    await fetch(new URL('/ada/model/resolve/%2e%2e%2fx/y', address)),
    await fetch(new URL('/nothing/here', address)),
  ]
  for (const answer of answers) await answer.text()
  const ids = answers.map((answer) => answer.headers.get('x-request-id'))
  const ours = () => lines.filter((line) => ids.includes(String(line.requestId)))
  while (ours().length < answers.length) await new Promise((resolve) => stream.once('data', resolve))
  t.match(ours()[0], {
    level: 30,
    who: 'ada',
    repo: 'ada/model',
    what: 'GET /ada/model/info/refs',
    status: 200,
    bytesIn: Number,
    bytesOut: Number,
    durationMs: Number,
  })
  t.ok(Number(ours()[0].bytesOut) > 100)
  t.notOk('aborted' in ours()[0])
  t.same(
    ours().map((line) => line.status),
    [200, 403, 400, 404],
  )
  t.match(ours()[1], { what: 'GET /api/bytes/lfs/objects/x', code: 'LinkInvalid' })
  t.notMatch(JSON.stringify(lines), /sssecret|signature|hf_|Bearer/)
  t.equal(ours().length, 4)

  const bad = openRaw(address)
  bad.write('GET /a/%zz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n')
  t.match(await bad.rest(), /^HTTP\/1\.1 400 .*x-request-id/s)
})

t.test('a body beyond the limit', async (t) => {
  const hub = await openHouse(t, { limits: { jsonBodyMaxBytes: 100 } })
  const ada = await addPerson(hub, 'ada')
  const server = await openDoors(t, hub)
  const create = async (sizeBytes: number) => {
    const payload = JSON.stringify({ name: '' }).replace('""', `"${'x'.repeat(sizeBytes - 11)}"`)
    return await server.inject({
      method: 'POST',
      url: '/api/repos/create',
      headers: { ...ada.headers, 'content-type': 'application/json' },
      payload,
    })
  }
  t.equal((await create(101)).statusCode, 413)
  t.equal((await create(100)).statusCode, 200)
})

t.test('an unread body is skipped, but not for ever', async (t) => {
  const hub = await openHouse(t, { limits: { unreadBodyMaxBytes: 100_000 } })
  const address = await listen(t, hub)
  const head = (length: number) =>
    `POST /ada/model/git-receive-pack HTTP/1.1\r\nHost: hub\r\nContent-Length: ${length}\r\n\r\n`
  const small = openRaw(address)
  small.write(head(50_000))
  await small.until(/HTTP\/1\.1 401/)
  small.write(Buffer.alloc(50_000))
  small.write('GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n')
  t.match(await small.until(/"ok"/), /200 OK/, 'the connection is kept')
  small.socket.destroy()

  const large = openRaw(address)
  large.write(head(1_000_000))
  await large.until(/HTTP\/1\.1 401/)
  large.write(Buffer.alloc(500_000))
  t.match(await large.rest(), /HTTP\/1\.1 401/, 'the connection is closed')
})
