import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { Repo } from '../../../src/hub/repo.ts'
import { signLink } from '../../../src/hub/signed-links.ts'
import { listen, openHouse } from '../../support/house.ts'
import {
  askBatch,
  askLfs,
  type Content,
  contentOf,
  type LfsHouse,
  linkOf,
  openLfsHouse,
  type Person,
  randomContent,
  uploadContent,
} from '../../support/lfs.ts'
import { openRaw } from '../../support/raw-http.ts'

async function openRoom(t: Test, limits = {}) {
  const house = await openLfsHouse(t, { limits })
  const ada = await house.addPerson('ada')
  return { house, ada, repo: await house.addRepo(ada, 'model') }
}

async function offer(house: LfsHouse, person: Person, repo: Repo, content: { oid: string; size: number }) {
  const [object] = await askBatch(house, person, repo, { operation: 'upload', objects: [content] })
  return { put: linkOf(object, 'upload'), verify: linkOf(object, 'verify') }
}

async function keysOf(house: LfsHouse): Promise<string[]> {
  const keys = []
  for await (const { key } of house.hub.bucket.list('lfs/')) keys.push(key)
  return keys
}

async function listenOn(house: LfsHouse): Promise<number> {
  await house.server.listen({ port: 0, host: '127.0.0.1' })
  return (house.server.server.address() as AddressInfo).port
}

/** Sends a chunked body, and with it the headers; resolves to the status. */
async function putChunked(port: number, path: string, chunks: Buffer[], headers = {}): Promise<number> {
  const request = httpRequest({ port, path, method: 'PUT', headers })
  request.on('error', () => {})
  const answered = once(request, 'response')
  for (const chunk of chunks) request.write(chunk)
  request.end()
  const [response] = await answered
  response.resume()
  return response.statusCode
}

t.test('wrong bytes leave nothing', async (t) => {
  const { house, ada, repo } = await openRoom(t, { lfsObjectMaxBytes: 1000 })
  const content = randomContent(100)
  const links = await offer(house, ada, repo, content)
  const put = async (payload: Buffer) =>
    (await house.server.inject({ method: 'PUT', url: links.put, payload })).statusCode
  t.equal(await put(randomContent(100).bytes), 422, 'another hash')
  t.equal(await put(content.bytes.subarray(1)), 422, 'too short')
  t.equal(await put(Buffer.concat([content.bytes, Buffer.alloc(1)])), 422, 'too long')
  t.equal(await put(Buffer.alloc(1001)), 413, 'above the limit')
  t.same(await keysOf(house), [])
  const claim = { oid: content.oid, size: content.size }
  t.equal((await askLfs(house, undefined, 'POST', links.verify, claim)).statusCode, 404, 'nothing has arrived')
  t.equal(await put(content.bytes), 200)
  t.equal((await keysOf(house)).length, 1)
})

t.test('bodies of every kind', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const empty = contentOf(Buffer.alloc(0))
  const none = await offer(house, ada, repo, empty)
  t.match(await house.server.inject({ method: 'PUT', url: none.put }), { statusCode: 200 }, 'no bytes')
  const json = contentOf(Buffer.from('{"a": 1}'))
  const links = await offer(house, ada, repo, json)
  const put = (headers: Record<string, string>) =>
    house.server.inject({ method: 'PUT', url: links.put, payload: json.bytes, headers })
  t.match(await put({ 'content-type': 'application/json', 'content-encoding': 'gzip' }), { statusCode: 415 })
  t.match(await put({ 'content-type': 'application/json' }), { statusCode: 200 }, 'the type git-lfs guessed')

  const port = await listenOn(house)
  const large = randomContent(3_000_000)
  const { put: path } = await offer(house, ada, repo, large)
  const halves = [large.bytes.subarray(0, 1_000_000), large.bytes.subarray(1_000_000)]
  t.equal(await putChunked(port, path, [...halves, Buffer.from('x')]), 422, 'chunked and too long')
  t.equal(await putChunked(port, path, [halves[0]!]), 422, 'chunked and too short')
  t.equal((await keysOf(house)).length, 2)
  t.equal(await putChunked(port, path, halves), 200, 'chunked')
  t.equal((await keysOf(house)).length, 3)
})

t.test('a client that leaves leaves nothing', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const content = randomContent(2_000_000)
  const { put } = await offer(house, ada, repo, content)
  const port = await listenOn(house)
  const socket = connect(port, '127.0.0.1')
  const failed = new Promise<void>((resolve) => watchAborts(house, resolve))
  socket.write(`PUT ${put} HTTP/1.1\r\nHost: x\r\nContent-Length: ${content.size}\r\n\r\n`)
  socket.write(content.bytes.subarray(0, 1_000_000), () => socket.destroy())
  await failed
  t.same(await keysOf(house), [])
})

/** Tells when a put into the bucket was given up. */
function watchAborts(house: LfsHouse, failed: () => void): void {
  const { put } = house.hub.bucket
  house.hub.bucket.put = async (...args) => {
    try {
      return await put(...args)
    } catch (error) {
      failed()
      throw error
    }
  }
}

t.test('one content, many uploads', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const [bob, content] = [await house.addPerson('bob'), randomContent(50_000)]
  const other = await house.addRepo(bob, 'other', 'private')
  const links = [await offer(house, ada, repo, content), await offer(house, bob, other, content)]
  const urls = [links[0]!.put, links[0]!.put, links[1]!.put]
  const answers = await Promise.all(
    urls.map((url) => house.server.inject({ method: 'PUT', url, payload: content.bytes })),
  )
  t.same(
    answers.map((answer) => answer.statusCode),
    [200, 200, 200],
  )
  const rows = await house.hub.database.query<{ key: string }>('select key from lfs_objects')
  const doomed = await house.hub.database.query<{ key: string }>('select key from doomed_bytes')
  t.equal(rows.length, 1, 'one copy')
  t.same([...rows, ...doomed].map((row) => row.key).sort(), await keysOf(house), 'and all others are doomed')
  for (const [person, place] of [
    [ada, repo],
    [bob, other],
  ] as const) {
    const [again] = await askBatch(house, person, place, { operation: 'upload', objects: [content] })
    t.equal(again?.actions, undefined)
  }
})

t.test('an upload into a repository that is deleted meanwhile counts for nothing', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const content = randomContent()
  const { put } = await offer(house, ada, repo, content)
  const { bucket, database } = house.hub
  const putBytes = bucket.put
  bucket.put = async (...args) => {
    const sizeBytes = await putBytes(...args)
    await database.query('delete from repos')
    return sizeBytes
  }
  t.match(await house.server.inject({ method: 'PUT', url: put, payload: content.bytes }), { statusCode: 404 })
  t.same(await database.query('select oid from lfs_objects'), [])
})

t.test('verify', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const content = randomContent()
  const links = await offer(house, ada, repo, content)
  await house.server.inject({ method: 'PUT', url: links.put, payload: content.bytes })
  const verify = (body: unknown, url = links.verify) => askLfs(house, undefined, 'POST', url, body)
  t.match(await verify({ oid: content.oid, size: content.size }), { statusCode: 200 })
  t.match(await verify({ oid: content.oid, size: content.size }), { statusCode: 200 }, 'twice')
  t.match(await verify({ oid: content.oid, size: 1 }), { statusCode: 422 })
  t.match(await verify({ oid: 'a'.repeat(64), size: content.size }), { statusCode: 422 })
  t.match(await verify({}), { statusCode: 422 })
  t.match(await verify({ oid: content.oid, size: content.size }, links.put), { statusCode: 404 })
  t.match(await verify({ oid: content.oid, size: content.size }, links.verify.replace('signature=', 'signature=AA')), {
    statusCode: 403,
  })
})

async function openDownload(t: Test, content: Content) {
  const { house, ada, repo } = await openRoom(t)
  await uploadContent(house, ada, repo, content)
  await house.grant(repo, content)
  const [object] = await askBatch(house, ada, repo, { operation: 'download', objects: [content] })
  const url = linkOf(object, 'download')
  const get = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    house.server.inject({ method, url, headers })
  return { house, url, get }
}

t.test('download, whole and in ranges', async (t) => {
  const content = randomContent(10_000)
  const etag = `"${content.oid}"`
  const { get, house, url } = await openDownload(t, content)
  const whole = await get()
  t.equal(whole.statusCode, 200)
  t.ok(whole.rawPayload.equals(content.bytes))
  t.match(whole.headers, { etag, 'content-length': '10000', 'accept-ranges': 'bytes' })
  t.match(whole.headers, { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' })

  const head = await get({}, 'HEAD')
  t.equal(head.statusCode, 200)
  t.match(head.headers, { etag, 'content-length': '10000' })
  t.equal(head.rawPayload.length, 0)

  const part = await get({ range: 'bytes=9000-' })
  t.equal(part.statusCode, 206)
  t.match(part.headers, { 'content-range': 'bytes 9000-9999/10000', 'content-length': '1000' })
  t.ok(part.rawPayload.equals(content.bytes.subarray(9000)))
  const outside = await get({ range: 'bytes=10000-' })
  t.equal(outside.statusCode, 416)
  t.equal(outside.headers['content-range'], 'bytes */10000')
  t.equal((await get({ range: 'bytes=1-2', 'if-range': etag })).statusCode, 206)
  t.equal((await get({ range: 'bytes=1-2', 'if-range': '"old"' })).statusCode, 200)
  t.equal((await get({ 'if-none-match': `W/"x", ${etag}` })).statusCode, 304)

  const bare = url.slice(0, url.indexOf('?'))
  t.match(await house.server.inject({ method: 'GET', url: bare }), { statusCode: 403 }, 'without a signature')
  t.match(
    await house.server.inject({
      method: 'GET',
      url: url.replace(/objects\/(.)/, (_, digit) => `objects/${digit === '0' ? 1 : 0}`),
    }),
    {
      statusCode: 403,
    },
  )
  t.match(await house.server.inject({ method: 'PUT', url, payload: 'x' }), { statusCode: 404 })
})

t.test('empty content', async (t) => {
  const { get } = await openDownload(t, contentOf(Buffer.alloc(0)))
  t.match(await get(), { statusCode: 200, headers: { 'content-length': '0' }, body: '' })
  t.match(await get({ range: 'bytes=0-' }), { statusCode: 416 })
})

t.test('bytes that are gone', async (t) => {
  const { get, house } = await openDownload(t, randomContent())
  await house.hub.bucket.delete(await keysOf(house))
  t.match(await get(), { statusCode: 404 })
})

t.test('a client that expects a continue is refused before its first byte', async (t) => {
  const hub = await openHouse(t)
  const server = await listen(t, hub)
  const link = new URL(signLink(hub, { method: 'PUT', parts: ['lfs', 'uploads', randomUUID()] }, 60))
  const head = (target: string) =>
    `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`
  const refused = openRaw(server)
  refused.write(head(`${link.pathname}?expires=1&signature=x`))
  const answer = await refused.rest()
  t.match(answer, /^HTTP\/1\.1 403 /)
  t.match(answer, 'application/vnd.git-lfs+json')
  const accepted = openRaw(server)
  accepted.write(head(link.pathname + link.search))
  await accepted.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  accepted.write('hello')
  await accepted.until(/HTTP\/1\.1 404 /)
  accepted.socket.destroy()
})

t.test('a client that leaves during its download frees the bytes', async (t) => {
  const { house, url } = await openDownload(t, randomContent(20_000_000))
  const port = await listenOn(house)
  const freed = new Promise<void>((resolve) => watchReads(house, resolve))
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(socket, 'data')
  socket.destroy()
  await freed
  t.pass('the read was ended')
})

/** Tells when the bytes of a read were given up or came to their end. */
function watchReads(house: LfsHouse, freed: () => void): void {
  const { get } = house.hub.bucket
  house.hub.bucket.get = async (...args) => {
    const bytes = await get(...args)
    return (async function* () {
      try {
        yield* bytes
      } finally {
        freed()
      }
    })()
  }
}
