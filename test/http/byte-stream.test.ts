/** Bodies in and out, and clients that leave: before the answer begins, in its midst, and before anybody looked. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { HoldfastError } from '../../src/errors.ts'
import { clientSignal, limitBytes, requestBytes, startPacedStream, startStream } from '../../src/http/byte-stream.ts'

async function* pieces(...list: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of list) {
    if (piece instanceof Error) throw piece
    yield Buffer.from(piece)
  }
}

/** One route, `POST /`. */
async function serve(t: Test, handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) {
  const server = Fastify()
  server.decorateRequest('failure', undefined)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
  server.post('/', handle)
  const url = new URL(await server.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => server.close())
  const open = async (headers: string, body = '') => {
    const socket = connect(Number(url.port), url.hostname)
    await once(socket, 'connect')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n${headers}\r\n\r\n${body}`)
    return socket
  }
  return { url, open }
}

t.test('up to the limit, and not one byte more', async (t) => {
  t.equal(String(await buffer(limitBytes(pieces('ab', 'cd'), 4))), 'abcd')
  const over = limitBytes(pieces('ab', 'cd', 'e'), 4)
  t.equal(String((await over.next()).value), 'ab')
  t.equal(String((await over.next()).value), 'cd')
  await t.rejects(over.next(), { code: 'InputTooLarge' })
  t.equal((await buffer(limitBytes(pieces(), 0))).length, 0)
})

t.test('a body that the client breaks off is truncated, not short', async (t) => {
  const { promise, resolve } = Promise.withResolvers<{ read: string; error: unknown }>()
  const { open } = await serve(t, async (request) => {
    let read = ''
    try {
      for await (const chunk of requestBytes(request.raw)) read += chunk
      resolve({ read, error: undefined })
    } catch (error) {
      resolve({ read, error })
    }
    return read
  })
  const socket = await open('Content-Length: 10', 'half')
  // The end of what was sent, in the midst of the body.
  socket.end()
  t.match(await promise, { read: 'half', error: { code: 'InputTruncated' } })
})

for (const begin of [startStream, startPacedStream]) {
  t.test(`${begin.name}: what fails before the first byte is a status, later the connection breaks off`, async (t) => {
    const failure = new HoldfastError('Unavailable')
    await t.rejects(begin(pieces(failure), {} as FastifyRequest), failure)
    let noted: unknown
    const { url } = await serve(t, async (request, reply) => {
      reply.raw.once('close', () => {
        noted = request.failure
      })
      return reply.send(await begin(pieces('begun', failure), request))
    })
    const post = () => fetch(url, { method: 'POST', headers: { 'content-type': 'a/b' } })
    const answer = await post()
    t.equal(answer.status, 200)
    await t.rejects(answer.text())
    t.match(noted, { code: 'Unavailable', error: failure })
  })

  t.test(`${begin.name}: a stream whose reader leaves is left, and what it holds is freed`, async (t) => {
    const freed = Promise.withResolvers<void>()
    const { open } = await serve(t, async (request, reply) => {
      const endless = async function* () {
        try {
          for (;;) yield Buffer.alloc(100_000)
        } finally {
          freed.resolve()
        }
      }
      return reply.send(await begin(endless(), request))
    })
    const socket = await open('Content-Length: 0')
    await once(socket, 'data')
    socket.destroy()
    await t.resolves(freed.promise)
  })
}

t.test(
  'a paced stream is asked for the next chunk when the last has left, so that its memory can be used again',
  async (t) => {
    const [chunkBytes, chunkCount] = [300_000, 40]
    const same = Buffer.alloc(chunkBytes)
    async function* overAndOver(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < chunkCount; i += 1) yield same.fill(i)
    }
    const { open } = await serve(t, async (request, reply) => {
      reply.header('content-length', chunkBytes * chunkCount)
      return reply.send(await startPacedStream(overAndOver(), request))
    })
    const socket = await open('Content-Length: 0\r\nConnection: close')
    const received: Buffer[] = []
    // A client that takes its time: what the kernel cannot hold waits in the server.
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received.push(chunk)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const answer = Buffer.concat(received)
    const start = answer.indexOf('\r\n\r\n') + 4
    t.match(answer.subarray(0, start).toString(), /^HTTP\/1.1 200 /)
    const body = answer.subarray(start)
    t.equal(body.length, chunkBytes * chunkCount)
    t.same(
      Array.from({ length: chunkCount }, (_, i) => body.subarray(i * chunkBytes, (i + 1) * chunkBytes)).filter(
        (chunk, i) => !chunk.equals(Buffer.alloc(chunkBytes, i)),
      ),
      [],
    )
  },
)

t.test('the signal fires when the client leaves, also where it left before anybody asked', async (t) => {
  for (const isEarly of [true, false]) {
    const aborted = Promise.withResolvers<unknown>()
    const arrived = Promise.withResolvers<void>()
    const { open } = await serve(t, async (_request, reply) => {
      const gone = once(reply.raw, 'close')
      arrived.resolve()
      if (isEarly) await gone
      const signal = clientSignal(reply)
      await gone
      aborted.resolve(signal.aborted && signal.reason)
      return reply.hijack()
    })
    const socket = await open('Content-Length: 0')
    await arrived.promise
    socket.destroy()
    t.match(await aborted.promise, { code: 'InputTruncated' }, isEarly ? 'early' : 'late')
  }
})

t.test('the signal stays quiet after a whole response', async (t) => {
  let signal: AbortSignal | undefined
  const closed = Promise.withResolvers<void>()
  const { url } = await serve(t, async (_request, reply) => {
    signal = clientSignal(reply)
    reply.raw.once('close', () => closed.resolve())
    return 'whole'
  })
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'a/b' } })
  t.equal(await answer.text(), 'whole')
  await closed.promise
  t.equal(signal?.aborted, false)
})
