import t from 'tap'
import type { ByteStream } from '../../src/git/object-id.ts'
import { RangeCursors } from '../../src/repository/range-cursors.ts'

/** Gives the bytes 0 to 9 from `start` on, hangs, and fails once it is left, as streams of a bucket do. */
function hangingAfterTen(start: number) {
  const left = Promise.withResolvers<IteratorResult<Uint8Array>>()
  left.promise.catch(() => {})
  let isGiven = false
  const stream = {
    isLeft: false,
    [Symbol.asyncIterator]: () => stream,
    async next(): Promise<IteratorResult<Uint8Array>> {
      if (isGiven) return await left.promise
      isGiven = true
      return { done: false, value: Uint8Array.from({ length: 10 - start }, (_, at) => start + at) }
    },
    async return(): Promise<IteratorResult<Uint8Array>> {
      stream.isLeft = true
      left.reject(new Error('The connection was closed.'))
      return { done: true, value: undefined }
    },
  }
  return stream
}

t.test('a read that hangs is left when its reader leaves, and another begins anew', async (t) => {
  const opened: ReturnType<typeof hangingAfterTen>[] = []
  const cursors = new RangeCursors(async (start): Promise<ByteStream> => {
    opened.push(hangingAfterTen(start))
    return opened[opened.length - 1]
  })
  t.teardown(() => cursors.close())
  const view = new Uint8Array(4)
  await cursors.readViews([view], 0)
  await cursors.readViews([view], 4, new AbortController().signal)
  t.same([...view], [4, 5, 6, 7])
  t.equal(opened.length, 1, 'read on')

  const leaving = new AbortController()
  const reading = cursors.readViews([view], 8, leaving.signal)
  await new Promise(setImmediate)
  leaving.abort(new Error('The client left.'))
  await t.rejects(reading, /The client left/)
  t.ok(opened[0].isLeft)
  await t.rejects(cursors.readViews([view], 0, leaving.signal), /The client left/)
  t.equal(opened.length, 1, 'nothing is opened for who has left')

  await cursors.readViews([view.subarray(0, 2)], 8)
  t.same([...view.subarray(0, 2)], [8, 9])
  t.equal(opened.length, 2)
})
