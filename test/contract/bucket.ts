/** What every bucket must do (src/bucket/bucket.ts). Run by test/bucket/*-bucket.test.ts on each adapter. */
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'
import type { Bucket, ByteStream } from '../../src/bucket/bucket.ts'

const MiB = 1024 * 1024

export interface OpenedBucket {
  /** Empty, and probed. */
  bucket: Bucket
  /** What uploads that are neither complete nor under way left behind. */
  leftovers(): Promise<string[]>
}

export async function testBucket(t: Test, open: () => Promise<OpenedBucket>): Promise<void> {
  const { bucket, leftovers } = await open()
  await testBytes(t, bucket)
  await testFailures(t, bucket, leftovers)
  await testKeys(t, bucket)
}

async function testBytes(t: Test, bucket: Bucket): Promise<void> {
  await t.test('bytes of any length come back as they were put', async (t) => {
    for (const sizeBytes of [0, 1, 100_000, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 20 * MiB + 3]) {
      const bytes = randomBytes(sizeBytes)
      const before = Date.now()
      t.equal(await bucket.put(`sizes/${sizeBytes}`, chunksOf(bytes, 70_001)), sizeBytes)
      t.ok((await readAll(await bucket.get(`sizes/${sizeBytes}`))).equals(bytes), `${sizeBytes} bytes`)
      const found = await bucket.stat(`sizes/${sizeBytes}`)
      t.equal(found?.sizeBytes, sizeBytes)
      t.ok(Math.abs((found?.modifiedAt.getTime() ?? 0) - before) < 60_000)
    }
  })

  await t.test('a source may use its chunks again', async (t) => {
    const chunk = Buffer.alloc(MiB)
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 18; i += 1) yield chunk.fill(i)
    }
    await bucket.put('reused', reusing())
    const bytes = await readAll(await bucket.get('reused'))
    for (let i = 0; i < 18; i += 1) t.equal(bytes[i * MiB + 12_345], i)
  })

  await t.test(
    'a local file is put as it is, whether or not it can be linked to, and outlives its own name',
    async (t) => {
      const bytes = randomBytes(9 * MiB + 1)
      const folder = t.testdir({ file: bytes })
      for (const [name, path] of Object.entries({
        linked: join(folder, 'file'),
        gone: join(folder, 'gone'),
        unnamed: undefined,
      })) {
        const file = { linkPath: () => path, stream: () => chunksOf(bytes, 100_000) }
        t.equal(await bucket.putFile(`files/${name}`, file), bytes.length, name)
        rmSync(join(folder, 'file'), { force: true })
        t.ok((await readAll(await bucket.get(`files/${name}`))).equals(bytes), name)
      }
      const signal = AbortSignal.abort(new Error('cancelled here'))
      const again = join(t.testdir({ again: bytes }), 'again')
      const file = { linkPath: () => again, stream: () => chunksOf(bytes, 100_000) }
      await t.rejects(bucket.putFile('files/cancelled', file, { signal }), { message: 'cancelled here' })
      t.equal(await bucket.stat('files/cancelled'), undefined)
    },
  )

  await t.test('ranges', async (t) => {
    const bytes = randomBytes(600_000)
    await bucket.put('ranges', chunksOf(bytes, 100_000))
    for (const [start, end] of [
      [0, 0],
      [0, 9],
      [599_999, 599_999],
      [1, 599_998],
      [300_000, 10_000_000],
    ]) {
      const part = await readAll(await bucket.get('ranges', { start, end }))
      t.ok(part.equals(bytes.subarray(start, end + 1)), `${start}-${end}`)
    }
    await t.rejects(bucket.get('ranges', { start: 600_000, end: 600_001 }), { code: 'RangeUnsatisfiable' })
  })

  await t.test('chunks whose memory is used again, by several readers at a time', async (t) => {
    const bytes = randomBytes(5 * MiB + 3)
    const reusesChunks = { reusesChunks: true }
    await bucket.put('lent', chunksOf(bytes, MiB))
    for (let round = 0; round < 3; round += 1) {
      const readers = [undefined, { start: 0, end: 9 }, { start: 7, end: 3 * MiB }, { start: 5 * MiB, end: 9 * MiB }]
      await Promise.all(
        readers.map(async (range) => {
          const hash = createHash('sha256')
          for await (const chunk of await bucket.get('lent', range, reusesChunks)) hash.update(chunk)
          const expected = bytes.subarray(range?.start, range === undefined ? undefined : range.end + 1)
          t.equal(hash.digest('hex'), createHash('sha256').update(expected).digest('hex'))
        }),
      )
    }
    await t.rejects(bucket.get('nothing', undefined, reusesChunks), { code: 'BytesMissing' })
    await t.rejects(bucket.get('lent', { start: 6 * MiB, end: 7 * MiB }, reusesChunks), { code: 'RangeUnsatisfiable' })
    for await (const _ of await bucket.get('lent', undefined, reusesChunks)) break
    await (await bucket.get('lent', undefined, reusesChunks))[Symbol.asyncIterator]().return?.()
  })

  await t.test('a reader may leave at any time, also before it began', async (t) => {
    await bucket.put('left', chunksOf(randomBytes(4 * MiB), MiB))
    for await (const chunk of await bucket.get('left')) {
      t.ok(chunk.length > 0)
      break
    }
    const unread = (await bucket.get('left'))[Symbol.asyncIterator]()
    await unread.return?.()
    t.same(await unread.next().catch(() => ({ done: true })), { done: true, value: undefined })
  })

  await t.test('bytes stream both ways in flat memory', async (t) => {
    const sizeBytes = 96 * MiB
    const memory = measureMemory()
    const chunk = randomBytes(MiB)
    const hash = createHash('sha256')
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < sizeBytes / MiB; i += 1) {
        if (i % 16 === 15) memory.sample()
        chunk.writeUInt32LE(i)
        hash.update(chunk)
        yield chunk
      }
    }
    await bucket.put('large', source())
    const readHash = createHash('sha256')
    let readBytes = 0
    for await (const piece of await bucket.get('large')) {
      if (readBytes % (16 * MiB) < piece.length) memory.sample()
      readBytes += piece.length
      readHash.update(piece)
    }
    t.equal(readHash.digest('hex'), hash.digest('hex'))
    // Three parts of 8 MiB in flight, and what the connections that carried the last ones still hold.
    t.ok(memory.growthBytes() < 56 * MiB, `grew by ${memory.growthBytes()} bytes`)
    await bucket.delete(['large'])
  })

  await t.test('puts go on side by side', async (t) => {
    const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i % 5 === 0 ? 9 * MiB : 1000 * i, i))
    await Promise.all(bodies.map((body, i) => bucket.put(`parallel/a/b${i % 3}/${i}`, chunksOf(body, 65_536))))
    for (const [i, body] of bodies.entries()) {
      t.ok((await readAll(await bucket.get(`parallel/a/b${i % 3}/${i}`))).equals(body))
    }
  })
}

async function testFailures(t: Test, bucket: Bucket, leftovers: () => Promise<string[]>): Promise<void> {
  await t.test('a source that fails, wherever it does, leaves nothing', async (t) => {
    for (const afterBytes of [0, 1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 16 * MiB, 16 * MiB + 1, 24 * MiB, 33 * MiB]) {
      const failure = new Error(`the source failed after ${afterBytes}`)
      const put = bucket.put('failing', failAfter(afterBytes, failure))
      t.equal(await put.catch((error: unknown) => error), failure, 'the very error of the source')
      t.equal(await bucket.stat('failing'), undefined)
      t.same(await leftovers(), [])
    }
  })

  await t.test('a put that is cancelled rejects at once, tells its source, and leaves nothing', async (t) => {
    for (const afterBytes of [0, 1, 8 * MiB + 1, 20 * MiB]) {
      const control = new AbortController()
      const source = hangingSource(afterBytes)
      const put = bucket.put('cancelled', source.body, { signal: control.signal })
      await source.hangs
      control.abort(new Error('cancelled here'))
      await t.rejects(put, { message: 'cancelled here' })
      t.ok(source.isReturned(), 'the source was told')
      t.equal(await bucket.stat('cancelled'), undefined)
      t.same(await leftovers(), [])
    }
    await t.rejects(
      bucket.put('cancelled', chunksOf(Buffer.alloc(10), 10), { signal: AbortSignal.abort(new Error('early')) }),
      { message: 'early' },
    )
    t.equal(await bucket.stat('cancelled'), undefined)
  })

  await t.test('what is not there is missing, before the first byte', async (t) => {
    await t.rejects(bucket.get('nothing'), { code: 'BytesMissing' })
    await t.rejects(bucket.get('nothing/below', { start: 0, end: 5 }), { code: 'BytesMissing' })
    t.equal(await bucket.stat('nothing'), undefined)
  })

  await t.test('what is no key is refused', async (t) => {
    const body = () => chunksOf(Buffer.alloc(1), 1)
    for (const key of [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../../b',
      '.a',
      'a/.incoming',
      'a b',
      'a\0',
      'é',
      'a\\b',
    ]) {
      await t.rejects(async () => bucket.put(key, body()), /Not a key/)
      await t.rejects(async () => bucket.get(key), /Not a key/)
      await t.rejects(async () => bucket.stat(key), /Not a key/)
      await t.rejects(async () => bucket.delete([key]), /Not a key/)
    }
  })
}

async function testKeys(t: Test, bucket: Bucket): Promise<void> {
  await t.test('keys are listed by prefix, in byte order', async (t) => {
    const names = ['b', 'a-b/c', 'a.b', 'a/z', 'a/b/c', 'A', 'a0', 'a/b.c', 'a/b0', 'ab/c']
    await Promise.all(names.map((name) => bucket.put(`order/${name}`, chunksOf(Buffer.from(name), 10))))
    const keys = names.map((name) => `order/${name}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const prefix of ['order/', 'order/a', 'order/a/', 'order/a/b', 'order/a/b/c', 'order/x', 'nowhere/']) {
      const found = []
      for await (const entry of bucket.list(prefix)) {
        found.push(entry.key)
        t.equal(entry.sizeBytes, entry.key.length - 'order/'.length)
      }
      t.same(
        found,
        keys.filter((key) => key.startsWith(prefix)),
        prefix,
      )
    }
  })

  await t.test('sets of keys are deleted, those that are absent too', async (t) => {
    const keys = Array.from({ length: 30 }, (_, i) => `doomed/${i}`)
    await Promise.all(keys.map((key) => bucket.put(key, chunksOf(Buffer.from('x'), 1))))
    const absent = Array.from({ length: 1500 }, (_, i) => `absent/${i}`)
    await bucket.delete([...absent, ...keys.slice(1), 'doomed/1/below'])
    const left = []
    for await (const entry of bucket.list('doomed/')) left.push(entry.key)
    t.same(left, ['doomed/0'])
    await bucket.delete([])
  })

  await t.test('an open file, where there is one, outlives its key', async (t) => {
    await bucket.put('opened', chunksOf(Buffer.from('content'), 3))
    const handle = await bucket.openFile('opened')
    await bucket.delete(['opened'])
    if (handle === undefined) return
    t.equal((await handle.readFile()).toString(), 'content')
    await handle.close()
    await t.rejects(bucket.openFile('opened'), { code: 'BytesMissing' })
  })

  await t.test('probing again changes nothing', async () => bucket.probe())
}

/** `bytes` in chunks of `chunkBytes`. */
export async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes)
}

export async function readAll(stream: ByteStream): Promise<Buffer> {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* failAfter(sizeBytes: number, failure: Error): AsyncGenerator<Uint8Array> {
  yield* chunksOf(Buffer.alloc(sizeBytes), 3 * MiB)
  throw failure
}

/** A source that gives `sizeBytes` and then neither ends nor answers. */
function hangingSource(sizeBytes: number) {
  const { promise: hangs, resolve } = Promise.withResolvers<void>()
  const chunks = chunksOf(Buffer.alloc(sizeBytes), MiB)
  let isReturned = false
  const body: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const step = await chunks.next()
        if (!step.done) return step
        resolve()
        return new Promise(() => {})
      },
      async return() {
        isReturned = true
        return { done: true, value: undefined }
      },
    }),
  }
  return { body, hangs, isReturned: () => isReturned }
}

/** The growth of memory in buffers, garbage not counted. */
function measureMemory() {
  setFlagsFromString('--expose_gc')
  const collectGarbage: () => void = runInNewContext('gc')
  function usedBytes(): number {
    collectGarbage()
    return process.memoryUsage().arrayBuffers
  }
  const atStart = usedBytes()
  let most = atStart
  return {
    sample() {
      most = Math.max(most, usedBytes())
    },
    growthBytes: () => most - atStart,
  }
}
