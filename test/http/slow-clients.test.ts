/** Clients that let a transfer stand are cut off; those that are slow but not too slow, or that wait for us, are not. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { endSlowTransfers } from '../../src/http/slow-clients.ts'
import { defaultLimits } from '../../src/limits.ts'
import { openRaw } from '../support/raw-http.ts'

const windowMs = 200
const large = randomBytes(32 * 1024 * 1024)

/** A server that takes bodies, gives a large one, and one that takes its time. */
async function serve(t: Test): Promise<URL> {
  const server = fastify()
  server.decorateRequest('failure')
  const limits = { ...defaultLimits, transferRateMinBytesPerSecond: 100, transferRateWindowMs: windowMs }
  endSlowTransfers(server, limits)
  server.get('/large', async () => large)
  server.get('/late', async () => {
    await sleep(windowMs * 4)
    return 'late'
  })
  server.addContentTypeParser('*', async (_request: unknown, payload: AsyncIterable<Buffer>) => {
    let count = 0
    for await (const chunk of payload) count += chunk.length
    return count
  })
  server.post('/', async (request) => `took ${request.body}`)
  t.teardown(() => server.close())
  return new URL(await server.listen({ port: 0, host: '127.0.0.1' }))
}

t.test('a client that sends nothing, or too little', async (t) => {
  const url = await serve(t)
  const silent = openRaw(url)
  silent.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 1000\r\n\r\n')
  t.equal(await silent.rest(), '')

  const slow = openRaw(url)
  slow.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 1000\r\n\r\n')
  const dripping = setInterval(() => slow.write('.'), windowMs / 4)
  t.equal(await slow.rest(), '', 'some 4 bytes a window, of 20')
  clearInterval(dripping)
})

t.test('a client that sends enough', async (t) => {
  const steady = openRaw(await serve(t))
  steady.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 400\r\n\r\n')
  for (let count = 0; count < 20; count++) {
    steady.write('.'.repeat(20))
    await sleep(windowMs / 4)
  }
  t.match(await steady.until(/took 400/), '200 OK')
  steady.socket.destroy()
})

t.test('a client that takes nothing', async (t) => {
  const stalled = openRaw(await serve(t))
  stalled.socket.pause()
  stalled.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n')
  await sleep(windowMs * 5)
  stalled.socket.resume()
  const taken = await stalled.rest()
  t.ok(taken.length < large.length, `${taken.length} bytes had been sent`)
})

t.test('a client that waits for the server', async (t) => {
  const patient = openRaw(await serve(t))
  patient.write('GET /late HTTP/1.1\r\nhost: x\r\n\r\n')
  t.match(await patient.until(/late$/), '200 OK')
  patient.socket.destroy()
  await once(patient.socket, 'close')
})

t.test('a client that takes a response at the least rate takes one step of it in a window', async (t) => {
  const { transferRateMinBytesPerSecond, transferRateWindowMs } = defaultLimits
  t.ok((transferRateMinBytesPerSecond * transferRateWindowMs) / 1000 >= 256 * 1024)
})
