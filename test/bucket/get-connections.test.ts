/** GETs by connections of our own, from a store that answers as it is told. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { GetConnections } from '../../src/bucket/get-connections.ts'

const MiB = 1024 * 1024
const never = new AbortController().signal

/** Answers the requests one after the other, whichever connection they come by. */
async function startStore(t: Test, answers: ((socket: Socket) => void)[]) {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      requests.push(bytes.toString('latin1'))
      answers.shift()?.(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/b/k?sig=1`), requests, sockets }
}

const say = (text: string) => (socket: Socket) => void socket.write(text, 'latin1')
const head = (sizeBytes: number, more = '') => `HTTP/1.1 206 Partial\r\nContent-Length: ${sizeBytes}\r\n${more}\r\n`

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies = []
  for await (const chunk of chunks) copies.push(Buffer.from(chunk))
  return Buffer.concat(copies)
}

t.test('one connection serves one GET after the other, with the memory of the last', async (t) => {
  const bodies = [0, 1, 512 * 1024, 512 * 1024 + 1, 3 * MiB + 7].map((sizeBytes) => randomBytes(sizeBytes))
  const store = await startStore(
    t,
    bodies.map((body) => (socket) => {
      socket.write(head(body.length))
      socket.write(body)
    }),
  )
  const connections = new GetConnections(5_000)
  const memory = new Set<ArrayBufferLike>()
  for (const body of bodies) {
    const answer = await connections.get(store.url, { range: 'bytes=5-' }, never)
    t.match(answer, { status: 206, sizeBytes: body.length })
    const copies = []
    for await (const chunk of answer!.chunks) {
      memory.add(chunk.buffer)
      copies.push(Buffer.from(chunk))
    }
    t.ok(Buffer.concat(copies).equals(body), `${body.length} bytes`)
    // The reader says so of every answer: the connection has another use by then.
    answer?.close()
  }
  t.equal(store.sockets.length, 1)
  t.equal(memory.size, 3)
  t.equal(store.requests[0], `GET /b/k?sig=1 HTTP/1.1\r\nhost: ${store.url.host}\r\nrange: bytes=5-\r\n\r\n`)
})

t.test('a head that comes byte by byte, with the first bytes of the body behind it', async (t) => {
  const store = await startStore(t, [
    async (socket) => {
      socket.setNoDelay(true)
      for (const byte of head(5, 'connection: close\r\n')) {
        await new Promise((resolve) => socket.write(byte, resolve))
      }
      socket.end('01234')
    },
    say(`${head(3)}abc`),
  ])
  const connections = new GetConnections(5_000)
  for (const expected of ['01234', 'abc']) {
    const answer = await connections.get(store.url, {}, never)
    t.equal((await readAll(answer!.chunks)).toString(), expected)
  }
  t.equal(store.sockets.length, 2, 'one that the store closes is not asked again')
})

t.test('a reader that waits lets the store wait', async (t) => {
  const body = randomBytes(64 * MiB)
  let sent = false
  const store = await startStore(t, [
    (socket) => {
      socket.write(head(body.length))
      socket.write(body, () => {
        sent = true
      })
    },
  ])
  const answer = await new GetConnections(5_000).get(store.url, {}, never)
  const chunks = answer!.chunks[Symbol.asyncIterator]()
  const first = Buffer.from((await chunks.next()).value)
  const [socket] = store.sockets
  // It fills what the kernel holds, and then nothing moves.
  for (let left = -1; left !== socket.writableLength; ) {
    left = socket.writableLength
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.notOk(sent)
  const rest = await readAll({ [Symbol.asyncIterator]: () => chunks })
  t.ok(Buffer.concat([first, rest]).equals(body))
})

t.test('what is no answer with bytes is left to the ordinary client', async (t) => {
  for (const text of [
    'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na',
    'HTTP/1.1 100 Continue\r\n\r\n',
    `${head(2)}more than that`,
    `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`,
    'SSH-2.0-x\r\n\r\n',
  ]) {
    const store = await startStore(t, [say(text)])
    t.equal(await new GetConnections(5_000).get(store.url, {}, never), undefined, text.slice(0, 60))
    t.equal(store.requests.length, 1)
  }
  t.equal(await new GetConnections(5_000).get(new URL('http://127.0.0.1:1/'), {}, never), undefined, 'nobody there')
  const silent = await startStore(t, [() => {}])
  t.equal(await new GetConnections(50).get(silent.url, {}, never), undefined, 'no answer in time')
})

t.test('a connection that the store ended, or spoke on, while it rested is not used', async (t) => {
  for (const part of [(socket: Socket) => socket.destroy(), say('unasked')]) {
    // The next may be asked before it is heard that the connection has ended.
    const store = await startStore(t, [say(`${head(1)}a`), say(`${head(1)}b`), say(`${head(1)}b`)])
    const connections = new GetConnections(5_000)
    await readAll((await connections.get(store.url, {}, never))!.chunks)
    part(store.sockets[0])
    t.equal((await readAll((await connections.get(store.url, {}, never))!.chunks)).toString(), 'b')
    t.equal(store.sockets.length, 2)
  }
})

t.test('a body that ends early, or hangs, fails as a broken connection', async (t) => {
  for (const [code, then] of [
    ['ECONNRESET', (socket: Socket) => socket.end()],
    ['ETIMEDOUT', () => {}],
  ] as const) {
    const store = await startStore(t, [
      (socket) => {
        socket.write(head(2 * MiB))
        socket.write(Buffer.alloc(MiB), () => then(socket))
      },
    ])
    const answer = await new GetConnections(300).get(store.url, {}, never)
    await t.rejects(readAll(answer!.chunks), { code })
  }
})

t.test('a reader that leaves ends the connection, at any time', async (t) => {
  const store = await startStore(t, [() => {}, say(head(5)), say(`${head(5)}ab`)])
  const connections = new GetConnections(5_000)
  const leaving = new AbortController()
  const asked = connections.get(store.url, {}, leaving.signal)
  while (store.requests.length < 1) await new Promise(setImmediate)
  leaving.abort(new Error('left'))
  await t.rejects(asked, /left/)
  for (let number = 1; number < 3; number++) {
    const answer = await connections.get(store.url, {}, never)
    const reading = readAll(answer!.chunks)
    answer?.close()
    await t.rejects(reading, { code: 'ECONNRESET' })
    if (!store.sockets[number].closed) await once(store.sockets[number], 'close')
  }
})
