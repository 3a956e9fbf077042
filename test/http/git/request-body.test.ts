import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { openRequestBody } from '../../../src/http/git/request-body.ts'

const type = 'application/x-git-upload-pack-request'

function request(body: Readable, headers: Record<string, string> = {}): FastifyRequest {
  return { raw: body, headers: { 'content-type': type, ...headers } } as unknown as FastifyRequest
}

async function read(body: Readable, headers: Record<string, string>, maxBytes = 1_000): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of openRequestBody(request(body, headers), 'git-upload-pack', maxBytes)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const from = (bytes: Buffer) => Readable.from([bytes])
const gzip = { 'content-encoding': 'gzip' }

t.test('raw and gzipped', async (t) => {
  t.equal(await read(from(Buffer.from('0000')), {}), '0000')
  t.equal(await read(from(Buffer.from('0000')), { 'content-encoding': 'identity' }), '0000')
  t.equal(await read(from(gzipSync('0000')), gzip), '0000')
  t.equal(await read(from(gzipSync('0000')), { 'content-encoding': 'X-GZIP' }), '0000')
  t.equal(await read(from(Buffer.from('x')), { 'content-type': `${type.toUpperCase()}; charset=utf-8` }), 'x')
})

t.test('up to the limit, and not beyond', async (t) => {
  t.equal((await read(from(Buffer.alloc(1_000, 'x')), {})).length, 1_000)
  t.equal((await read(from(gzipSync(Buffer.alloc(1_000, 'x'))), gzip)).length, 1_000)
  await t.rejects(read(from(Buffer.alloc(1_001, 'x')), {}), { code: 'InputTooLarge' })
  await t.rejects(read(from(gzipSync(Buffer.alloc(1_001, 'x'))), gzip), { code: 'InputTooLarge' })
  await t.rejects(read(from(gzipSync(Buffer.alloc(50_000_000))), gzip), { code: 'InputTooLarge' }, 'a bomb')
})

t.test('what is refused', async (t) => {
  await t.rejects(read(from(Buffer.from('x')), { 'content-encoding': 'br' }), { code: 'MediaTypeUnsupported' })
  await t.rejects(read(from(Buffer.from('x')), { 'content-type': 'text/plain' }), { code: 'MediaTypeUnsupported' })
  await t.rejects(read(from(Buffer.from('no gzip at all')), gzip), { code: 'InputInvalid' })
  const short = gzipSync(Buffer.from('x'.repeat(100))).subarray(0, 15)
  await t.rejects(read(from(short), gzip), { code: 'InputTruncated' })
})

t.test('a client that leaves', async (t) => {
  for (const headers of [{}, gzip] as Record<string, string>[]) {
    const body = new PassThrough()
    const reading = read(body, headers)
    body.write(gzipSync('0000').subarray(0, 5))
    body.destroy(new Error('aborted'))
    await t.rejects(reading, { code: 'InputTruncated' })
  }
})

t.test('who stops reading leaves the connection open', async (t) => {
  for (const headers of [{}, gzip] as Record<string, string>[]) {
    const body = new PassThrough()
    body.write(gzipSync(Buffer.alloc(100_000)))
    for await (const _ of openRequestBody(request(body, headers), 'git-upload-pack', 1e6)) break
    t.notOk(body.destroyed)
  }
})
