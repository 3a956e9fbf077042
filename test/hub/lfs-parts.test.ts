/** The Hub's multipart transfer, by links to this server and straight to a real store. */
import t, { type Test } from 'tap'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { collectGarbage } from '../../src/hub/gc.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import type { BatchResponse } from '../../src/lfs/batch.ts'
import { createLogger } from '../../src/logger.ts'
import { askLfs, type Content, lfsMediaType, openLfsHouse, randomContent } from '../support/lfs.ts'
import { startMinio } from '../support/minio.ts'

const minio = await startMinio()
t.teardown(() => minio.stop())

const limits = { lfsSinglePutMaxBytes: 1000, lfsPartBytes: 700 }

async function openRoom(t: Test, isDirect: boolean) {
  const bucket = isDirect ? openS3Bucket(minio.newBucket(), createLogger('silent')) : undefined
  await bucket?.probe()
  const house = await openLfsHouse(t, { bucket, limits })
  const ada = await house.addPerson('ada')
  const repo = await house.addRepo(ada, 'model')
  const ask = async (contents: Content[], transfers = ['basic', 'multipart']) => {
    const objects = contents.map(({ oid, size }) => ({ oid, size }))
    const body = { operation: 'upload', transfers, objects }
    return (await askLfs(house, ada, 'POST', '/ada/model.git/info/lfs/objects/batch', body)).json() as BatchResponse
  }
  const put = async (href: string, bytes: Buffer) => {
    if (isDirect) return await fetch(href, { method: 'PUT', body: new Uint8Array(bytes) })
    const url = href.slice(new URL(href).origin.length)
    const answer = await house.server.inject({ method: 'PUT', url, payload: bytes })
    return { status: answer.statusCode, headers: new Headers(answer.headers as Record<string, string>) }
  }
  const complete = (href: string, oid: string, parts: object[], type = lfsMediaType) =>
    house.server.inject({
      method: 'POST',
      url: href.slice(new URL(href).origin.length),
      headers: { 'content-type': type },
      payload: JSON.stringify({ oid, parts }),
    })
  return { house, ada, repo, ask, put, complete }
}

const uploadOf = (object: BatchResponse['objects'][number]) => {
  if (object.actions === undefined || !('upload' in object.actions)) throw new Error('no upload')
  return object.actions.upload
}
const linksOf = (object: BatchResponse['objects'][number]) =>
  Object.entries(uploadOf(object).header ?? {}).filter(([name]) => name !== 'chunk_size')
const keysOf = async (house: Awaited<ReturnType<typeof openRoom>>['house'], prefix: string) => {
  const keys = []
  for await (const { key } of house.hub.bucket.list(prefix)) keys.push(key)
  return keys
}

for (const isDirect of [false, true]) {
  t.test(isDirect ? 'straight to the store' : 'by links home', async (t) => {
    const { house, repo, ada, ask, put, complete } = await openRoom(t, isDirect)
    const content = randomContent(2000)
    const { transfer, objects } = await ask([content, randomContent(10)])
    t.equal(transfer, 'multipart')
    const [large, small] = objects
    t.equal(uploadOf(large).header?.chunk_size, '700')
    t.same(
      linksOf(large).map(([name]) => name),
      ['00001', '00002', '00003'],
    )
    t.equal(linksOf(small).length, 1, 'one transfer for a whole batch')
    const parts: { partNumber: number; etag: string }[] = []
    for (const [index, [name, href]] of linksOf(large).entries()) {
      t.equal(href.startsWith(minio.endpoint), isDirect)
      const answer = await put(href, content.bytes.subarray(index * 700, index * 700 + 700))
      t.equal(answer.status, 200, name)
      t.ok(answer.headers.get('etag'))
      parts.push({ partNumber: index + 1, etag: answer.headers.get('etag')! })
    }
    const { href } = uploadOf(large)
    t.match((await complete(href, content.oid, parts.slice(1))).json(), { message: /3 parts/ })
    t.equal((await complete(href, 'a'.repeat(64), parts)).statusCode, 422)
    const oids = [content.oid, 'a'.repeat(64), content.oid]
    const ended = await Promise.all(oids.map((oid) => complete(href, oid, parts, 'application/json')))
    t.same(
      ended.map(({ statusCode }) => statusCode),
      [200, 422, 200],
      'each by what it claims itself',
    )
    t.equal((await complete(href, content.oid, parts)).statusCode, 200, 'and again')
    t.same(await keysOf(house, 'lfs-parts/'), [])
    const verify = (large.actions as { verify: { href: string } }).verify.href
    const verified = await askLfs(house, undefined, 'POST', verify.slice(new URL(verify).origin.length), {
      oid: content.oid,
      size: content.size,
    })
    t.equal(verified.statusCode, 200)
    t.same((await ask([content])).objects, [{ oid: content.oid, size: content.size }], 'nothing left to do')
    await house.grant(await openRepo(house.hub, ada.principal, repo, 'read'), content)
    const [key] = await keysOf(house, 'lfs/')
    const chunks = []
    for await (const chunk of await house.hub.bucket.get(key)) chunks.push(chunk)
    t.ok(Buffer.concat(chunks).equals(content.bytes))
  })

  t.test(`wrong, missing and misshapen parts count for nothing, ${isDirect ? 'direct' : 'home'}`, async (t) => {
    const { house, ask, put, complete } = await openRoom(t, isDirect)
    const content = randomContent(1400)
    const [object] = (await ask([content])).objects
    const [[, first], [, second]] = linksOf(object)
    const parts = [1, 2].map((partNumber) => ({ partNumber, etag: 'x' }))
    const end = () => complete(uploadOf(object).href, content.oid, parts)
    t.ok((await put(first, content.bytes.subarray(0, 699))).status >= 400, 'too short')
    t.ok((await put(first, content.bytes.subarray(0, 701))).status >= 400, 'too long')
    t.equal((await put(first, content.bytes.subarray(0, 700))).status, 200)
    t.match((await end()).json(), { message: 'Part 2 has not been uploaded.' })
    t.equal((await put(second, Buffer.alloc(700))).status, 200)
    t.equal((await end()).statusCode, 422, 'another content')
    t.same(await keysOf(house, 'lfs/'), [])
    t.equal((await put(second, content.bytes.subarray(700))).status, 200, 'sent again')
    t.equal((await end()).statusCode, 200)
  })
}

t.test('stock git-lfs is answered in its own transfer, and the Hub needs no headers', async (t) => {
  const { ask } = await openRoom(t, true)
  const [large, small] = [randomContent(2000), randomContent(100)]
  const stock = await ask([large, small], ['basic', 'lfs-standalone-file', 'ssh'])
  t.equal(stock.transfer, 'basic')
  t.ok(uploadOf(stock.objects[1]).header?.['x-amz-content-sha256'])
  const hub = await ask([small])
  t.equal(hub.transfer, 'basic')
  const { href, header } = uploadOf(hub.objects[0])
  t.equal(header, undefined)
  t.ok(href.startsWith(minio.endpoint))
  const wrong = await fetch(href, { method: 'PUT', body: new Uint8Array(randomContent(100).bytes) })
  t.ok(wrong.status >= 400, 'and the store refuses other bytes')
  t.equal((await fetch(href, { method: 'PUT', body: new Uint8Array(small.bytes) })).status, 200)
})

t.test('parts of an upload that was given up are swept', async (t) => {
  const { house, ask, put } = await openRoom(t, false)
  const content = randomContent(1400)
  const [object] = (await ask([content])).objects
  await put(linksOf(object)[0][1], content.bytes.subarray(0, 700))
  t.match(await collectGarbage(house.hub), { orphanKeys: 0 })
  house.hub.config.limits.orphanBytesGraceSeconds = -1
  t.match(await collectGarbage(house.hub), { orphanKeys: 1, orphanBytes: 700 })
  t.same(await keysOf(house, 'lfs-parts/'), [])
})

t.test('an answer has no more links than a batch may have parts', async (t) => {
  const { house, ask } = await openRoom(t, false)
  house.hub.config.limits.lfsBatchMaxParts = 4
  t.equal((await ask([randomContent(2000), randomContent(600)])).objects.length, 2)
  const refused = await ask([randomContent(2000), randomContent(1400)])
  t.match(refused, { message: /may have 4 parts of 700 bytes together/ })
  house.hub.config.limits.lfsObjectMaxBytes = 1500
  t.match((await ask([randomContent(2000), randomContent(1400)])).objects, [{ error: { code: 422 } }, { actions: {} }])
})
