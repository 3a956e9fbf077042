import { createHash, randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'minio'
import t from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { partSizeBytes } from '../../src/bucket/s3-multipart.ts'
import type { S3Config } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { chunksOf, readAll, testBucket } from '../contract/bucket.ts'
import { startMinio } from '../support/minio.ts'

const MiB = 1024 * 1024
const logger = createLogger('silent')
const minio = await startMinio()
t.teardown(() => minio.stop())

async function openProbed(config: S3Config = minio.newBucket()): Promise<Bucket> {
  const bucket = openS3Bucket(config, logger)
  await bucket.probe()
  return bucket
}

function clientOf(config: S3Config): Client {
  const { hostname, port } = new URL(config.endpoint)
  const { accessKey, secretKey } = config
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey })
}

t.test('the contract', async (t) => {
  const config = minio.newBucket()
  await testBucket(t, async () => ({
    bucket: await openProbed(config),
    async leftovers() {
      const found = []
      for await (const upload of clientOf(config).listIncompleteUploads(config.bucket, 'failing', true)) {
        found.push(upload.key)
      }
      return found
    },
  }))
})

t.test('parts grow so that 10,000 of them make 5 TiB', async (t) => {
  t.equal(partSizeBytes(1), 8 * MiB)
  t.equal(partSizeBytes(640), 8 * MiB)
  t.equal(partSizeBytes(641), 16 * MiB)
  let sizeBytes = 0
  for (let part = 1; part <= 10_000; part += 1) sizeBytes += partSizeBytes(part)
  t.ok(sizeBytes >= 5 * MiB * MiB)
})

for (const form of ['headers', 'query'] as const) {
  t.test(`signed PUTs with ${form} take the announced bytes and no others`, async (t) => {
    const bucket = await openProbed()
    const bytes = randomBytes(100_000)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const options = { form, sha256, sizeBytes: bytes.length, expiresInSeconds: 60 }
    const put = await bucket.signedPut('lfs/ab/cd/k.1', options)
    const send = (body: Buffer, headers = put?.headers, url = put?.url) =>
      fetch(url!, { method: 'PUT', headers, body: new Uint8Array(body) })

    const other = Buffer.from(bytes)
    other[50_000] ^= 1
    for (const body of [other, bytes.subarray(1), Buffer.concat([bytes, other]), Buffer.alloc(0)]) {
      const answer = await send(body)
      t.ok(isRefused(answer), `status ${answer.status}`)
      t.equal(await bucket.stat('lfs/ab/cd/k.1'), undefined)
    }
    const elsewhere = put?.url.replace('k.1', 'k.2')
    t.ok(isRefused(await send(bytes, put?.headers, elsewhere)), 'another key')
    if (form === 'headers') t.ok(isRefused(await send(bytes, {})), 'without the headers')
    else t.same(put?.headers, {})

    t.equal((await send(bytes)).status, 200)
    t.ok((await readAll(await bucket.get('lfs/ab/cd/k.1'))).equals(bytes))

    const empty = createHash('sha256').digest('hex')
    const putEmpty = await bucket.signedPut('lfs/empty', { ...options, sha256: empty, sizeBytes: 0 })
    t.equal((await send(Buffer.alloc(0), putEmpty?.headers, putEmpty?.url)).status, 200, 'no bytes at all')
  })
}

t.test('signed links expire', async (t) => {
  const bucket = await openProbed()
  await bucket.put('k', chunksOf(Buffer.from('content'), 4))
  const get = await bucket.signedGet('k', { expiresInSeconds: 1 })
  const sha256 = createHash('sha256').update('x').digest('hex')
  const put = await bucket.signedPut('p', { form: 'query', sha256, sizeBytes: 1, expiresInSeconds: 1 })
  t.equal(await (await fetch(get!)).text(), 'content')
  const readUntilRefused = async () => {
    for (;;) {
      const answer = await fetch(get!)
      await answer.arrayBuffer()
      if (answer.status !== 200) return answer.status
      await pause(100)
    }
  }
  t.equal(await readUntilRefused(), 403)
  t.equal((await fetch(put!.url, { method: 'PUT', body: 'x' })).status, 403)
})

t.test('signed GETs give ranges, and the headers that were asked for', async (t) => {
  const bucket = await openProbed()
  await bucket.put('k', chunksOf(Buffer.from('0123456789'), 4))
  const contentDisposition = `attachment; filename="a b.bin"; filename*=UTF-8''%C3%A9.bin`
  const url = await bucket.signedGet('k', { expiresInSeconds: 60, contentDisposition, contentType: 'text/plain' })
  const answer = await fetch(url!, { headers: { range: 'bytes=2-4' } })
  t.equal(answer.status, 206)
  t.equal(answer.headers.get('content-disposition'), contentDisposition)
  t.equal(answer.headers.get('content-type'), 'text/plain')
  t.equal(await answer.text(), '234')
})

t.test('clients are sent to the public endpoint, the probe to the one seen from here', async (t) => {
  const publicEndpoint = 'https://bytes.example.org'
  const bucket = await openProbed({ ...minio.newBucket(), publicEndpoint })
  const sha256 = '0'.repeat(64)
  const put = await bucket.signedPut('k', { form: 'headers', sha256, sizeBytes: 1, expiresInSeconds: 60 })
  t.ok(put?.url.startsWith(`${publicEndpoint}/`))
  t.ok((await bucket.signedGet('k', { expiresInSeconds: 60 }))?.startsWith(`${publicEndpoint}/`))
})

t.test('a form that was not probed is not offered', async (t) => {
  const bucket = openS3Bucket(minio.newBucket(), logger)
  const options = { sha256: '0'.repeat(64), sizeBytes: 1, expiresInSeconds: 60 }
  t.equal(await bucket.signedPut('k', { ...options, form: 'headers' }), undefined)
  t.equal(await bucket.signedPut('k', { ...options, form: 'query' }), undefined)
})

t.test('the probe leaves nothing behind', async (t) => {
  const bucket = await openProbed()
  for await (const entry of bucket.list('')) t.fail(`${entry.key} was left`)
})

t.test('a bucket that cannot be used is refused with a sentence that holds no secret', async (t) => {
  const config = minio.newBucket()
  const wrongSecret = { ...config, secretKey: 'wrong-secret-of-mine' }
  const error = await openProbed(wrongSecret).catch((error: Error) => error as Error)
  t.match(error, { message: /Cannot use bucket ".*" of the object store at http.*AccessDenied.*S3_/ })
  t.notMatch(describe(error), /wrong-secret-of-mine|Signature=|X-Amz/)
  await t.rejects(openProbed({ ...config, endpoint: 'http://127.0.0.1:1' }), /ECONNREFUSED/)
  await t.rejects(openProbed({ ...config, endpoint: 'http://127.0.0.1:1/path' }), /without a path/)
})

t.test('a read that breaks midway goes on where it was', async (t) => {
  const config = minio.newBucket()
  const bytes = randomBytes(3 * MiB)
  await (await openProbed(config)).put('k', chunksOf(bytes, MiB))
  // Cuts every connection after 1 MiB of answers.
  const proxy = await startProxy(Number(new URL(config.endpoint).port), MiB)
  t.teardown(proxy.close)
  const bucket = openS3Bucket({ ...config, endpoint: proxy.endpoint }, logger)
  t.ok((await readAll(await bucket.get('k'))).equals(bytes))
  const part = await readAll(await bucket.get('k', { start: 5, end: 2 * MiB }))
  t.ok(part.equals(bytes.subarray(5, 2 * MiB + 1)))
  const copies = []
  for await (const chunk of await bucket.get('k', undefined, { reusesChunks: true })) copies.push(Buffer.from(chunk))
  t.ok(Buffer.concat(copies).equals(bytes))
  t.ok(proxy.connections() >= 5, `${proxy.connections()} connections`)
})

t.test('requests whose connection breaks are made again', async (t) => {
  const config = minio.newBucket()
  await openProbed(config)
  const bytes = randomBytes(17 * MiB)
  const proxy = await startProxy(Number(new URL(config.endpoint).port), Number.POSITIVE_INFINITY)
  t.teardown(proxy.close)
  const bucket = openS3Bucket({ ...config, endpoint: proxy.endpoint }, logger)
  for (const [i, ask] of [
    () => bucket.put('small', chunksOf(bytes.subarray(0, 100), 100)),
    () => bucket.put('large', chunksOf(bytes, MiB)),
    () => bucket.stat('large'),
    () => bucket.get('small').then(readAll),
    () => bucket.get('small', undefined, { reusesChunks: true }).then(readAll),
    () => bucket.list('')[Symbol.asyncIterator]().next(),
    () => bucket.delete(['small']),
  ].entries()) {
    proxy.breakNext(2)
    await ask()
    t.equal(proxy.toBreak(), 0, `request ${i}`)
  }
  t.ok((await readAll(await bucket.get('large'))).equals(bytes))
})

t.test('a store that is gone is unavailable, and used again when it is back', async (t) => {
  const bucket = await openProbed()
  await bucket.put('k', chunksOf(Buffer.from('content'), 4))
  await minio.kill()
  await t.rejects(bucket.stat('k'), { code: 'Unavailable', message: /could not stat bytes: ECONNREFUSED/ })
  await t.rejects(bucket.put('l', chunksOf(Buffer.alloc(9 * MiB), MiB)), { code: 'Unavailable' })
  await minio.start()
  t.equal((await bucket.stat('k'))?.sizeBytes, 7)
  t.equal(await bucket.stat('l'), undefined)
})

function isRefused(answer: Response): boolean {
  return answer.status === 400 || answer.status === 403
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${JSON.stringify(error)} ${describe(error.cause)}` : String(error)
}

/** A proxy in front of a local port that ends each connection after `answerBytes` of answers, or at once if told so. */
async function startProxy(port: number, answerBytes: number) {
  let connections = 0
  let toBreak = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    connections += 1
    sockets.add(client)
    client.on('error', () => {})
    if (toBreak > 0) {
      toBreak -= 1
      client.resetAndDestroy()
      return
    }
    const upstream = connect(port, '127.0.0.1')
    sockets.add(upstream)
    upstream.on('error', () => {})
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
    client.pipe(upstream)
    let rest = answerBytes
    upstream.on('data', (chunk) => {
      if (rest === 0) return
      client.write(chunk.subarray(0, rest))
      rest -= Math.min(rest, chunk.length)
      if (rest === 0) client.destroySoon()
    })
  })
  function dropConnections(): void {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    connections: () => connections,
    toBreak: () => toBreak,
    breakNext(count: number) {
      dropConnections()
      toBreak = count
    },
    close() {
      dropConnections()
      server.close()
    },
  }
}
