import t from 'tap'
import { openFileBucket } from '../../src/bucket/file-bucket.ts'
import { chunksOf, readAll } from '../contract/bucket.ts'
import { faultyBucket } from './faulty-bucket.ts'

const body = () => chunksOf(Buffer.from('0123456789'), 4)

t.test('it fails before, midway, or after', async (t) => {
  const bucket = faultyBucket(openFileBucket(t.testdir()))
  bucket.addFault({ method: 'put', call: 2, kind: 'before' })
  await bucket.put('a', body())
  await t.rejects(bucket.put('b', body()), { code: 'Unavailable' })
  await bucket.put('c', body())
  bucket.addFault({ method: 'put', kind: 'midway', afterBytes: 5, error: new Error('cut') })
  await t.rejects(bucket.put('d', body()), /cut/)
  bucket.addFault({ method: 'put', kind: 'after' })
  await t.rejects(bucket.put('e', body()), { code: 'Unavailable' })
  bucket.addFault({ method: 'get', kind: 'midway', afterBytes: 5 })
  await t.rejects(readAll(await bucket.get('a')), { code: 'Unavailable' })
  bucket.addFault({ method: 'stat', kind: 'before', isLasting: true })
  for (let i = 0; i < 3; i += 1) await t.rejects(bucket.stat('a'), { code: 'Unavailable' })
  bucket.removeFaults()
  t.ok(await bucket.stat('a'))
  const keys = []
  for await (const { key } of bucket.list('')) keys.push(key)
  t.same(keys, ['a', 'c', 'e'])
  t.equal(bucket.calls.put, 5)
})

t.test('it hangs until it is released or the put is cancelled', async (t) => {
  const bucket = faultyBucket(openFileBucket(t.testdir()))
  bucket.addFault({ method: 'put', kind: 'hang', isLasting: true })
  let hanging = bucket.nextHang()
  const released = bucket.put('a', body())
  await hanging
  bucket.release()
  await t.rejects(released, { code: 'Unavailable' })
  const control = new AbortController()
  hanging = bucket.nextHang()
  const cancelled = bucket.put('a', body(), { signal: control.signal })
  await hanging
  control.abort(new Error('left'))
  await t.rejects(cancelled, /left/)
})
