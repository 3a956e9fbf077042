/** Files that are read while their bytes still come. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDisk } from '../../src/disk/local-disk.ts'

const MiB = 1024 * 1024
const content = randomBytes(20 * MiB + 123)

/** A disk, and a store whose ranges come as far as they are let. */
async function openScene(t: Test, cacheMaxBytes = 100 * MiB) {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes, spoolMaxBytes: 1000 })
  const open = new Set<number>()
  const asked: number[] = []
  /** Up to where each range gives its bytes; the next read waits. */
  let limit = Number.POSITIVE_INFINITY
  let moved = Promise.withResolvers<void>()
  let failure: Error | undefined
  const read = async ({ start, end }: { start: number; end: number }) => {
    asked.push(start)
    open.add(start)
    let hasLeft = false
    const bytes = (async function* () {
      for (let at = start; at <= end; at += 64 * 1024) {
        while (at >= limit && !hasLeft && failure === undefined) await moved.promise
        if (hasLeft) return
        if (failure !== undefined) throw failure
        yield content.subarray(at, Math.min(at + 64 * 1024, end + 1))
      }
      open.delete(start)
    })()
    return Object.assign(bytes, {
      async return() {
        hasLeft = true
        open.delete(start)
        wake()
        return { done: true as const, value: undefined }
      },
    })
  }
  function wake() {
    moved.resolve()
    moved = Promise.withResolvers()
  }
  return {
    disk,
    read,
    open,
    asked,
    letCome: (bytes: number) => {
      limit = bytes
      wake()
    },
    fail: (error: Error) => {
      failure = error
      wake()
    },
    spooled: () => readdirSync(join(folder, 'spool')),
    cached: () => readdirSync(join(folder, 'cache')),
    folder,
  }
}

t.test('all of it, in ranges, shared by all who ask, and kept', async (t) => {
  const { disk, read, asked, cached, spooled, folder } = await openScene(t)
  const files = await Promise.all([1, 2, 3].map(() => disk.openArriving('k', content.length, read)))
  const whole = disk.open('k', () => Promise.reject(new Error('a second fill')))
  for (const file of files) {
    const views = [Buffer.alloc(5), Buffer.alloc(content.length - 5)]
    await file.readViews(views, 0)
    t.ok(Buffer.concat(views).equals(content))
    file.close()
  }
  const file = await whole
  const tail = Buffer.alloc(200)
  t.equal(file.readSync(tail, 0, 200, content.length - 123), 123)
  file.close()
  t.same(asked, [0, 8 * MiB, 16 * MiB], 'each range once')
  await disk.close()
  t.same(spooled(), [])
  t.ok(readFileSync(join(folder, 'cache', cached()[0])).equals(content))
  const again = await openDisk({ folder, cacheMaxBytes: 100 * MiB, spoolMaxBytes: 1000 })
  const cachedFile = await again.openArriving('k', content.length, () => Promise.reject(new Error('not asked')))
  t.equal(cachedFile.arrival, undefined)
  cachedFile.close()
})

t.test('what has come is read while the rest is on its way', async (t) => {
  const { disk, read, letCome } = await openScene(t)
  letCome(2 * MiB)
  const file = await disk.openArriving('k', content.length, read)
  const start = Buffer.alloc(MiB)
  await file.readViews([start], MiB)
  t.ok(start.equals(content.subarray(MiB, 2 * MiB)))
  const later = Buffer.alloc(MiB)
  let isRead = false
  const reading = file.readViews([later], 2 * MiB).then(() => {
    isRead = true
  })
  await new Promise(setImmediate)
  t.notOk(isRead)
  letCome(content.length)
  await reading
  t.ok(later.equals(content.subarray(2 * MiB, 3 * MiB)))
  file.close()
  await disk.close()
})

t.test('a read whose reader has gone waits no longer', async (t) => {
  const { disk, read, letCome } = await openScene(t)
  letCome(0)
  const file = await disk.openArriving('k', content.length, read)
  const client = new AbortController()
  const reading = file.readViews([Buffer.alloc(1)], 0, client.signal)
  client.abort(new Error('gone'))
  await t.rejects(reading, /gone/)
  await t.rejects(file.readViews([Buffer.alloc(1)], 0, client.signal), /gone/)
  file.close()
  await disk.close()
})

t.test('when the last one closes it nothing comes any more, and the next one begins again', async (t) => {
  const { disk, read, letCome, open, asked, spooled } = await openScene(t)
  letCome(MiB)
  const [first, second] = await Promise.all([1, 2].map(() => disk.openArriving('k', content.length, read)))
  await first.readViews([Buffer.alloc(MiB)], 0)
  first.close()
  t.equal(open.size, 3, 'somebody else reads')
  const waiting = second.readViews([Buffer.alloc(1)], 5 * MiB)
  second.close()
  await t.rejects(waiting, /Nobody/)
  await t.rejects(second.arrival!.whole, /Nobody/)
  t.equal(open.size, 0)
  letCome(content.length)
  const third = await disk.openArriving('k', content.length, read)
  const bytes = Buffer.alloc(content.length)
  await third.readViews([bytes], 0)
  t.ok(bytes.equals(content))
  t.equal(asked.filter((start) => start === 0).length, 2)
  third.close()
  await disk.close()
  t.same(spooled(), [])
})

t.test('a store that fails', async (t) => {
  const { disk, read, letCome, fail, open, spooled, cached } = await openScene(t)
  const broken = () => Promise.reject(new Error('the store is down'))
  await t.rejects(disk.openArriving('k', content.length, broken), /down/)
  letCome(MiB)
  const file = await disk.openArriving('k', content.length, read)
  await file.readViews([Buffer.alloc(1000)], 0)
  const waiting = Promise.allSettled([file.readViews([Buffer.alloc(MiB)], MiB), disk.open('k', broken)])
  fail(new Error('the store broke'))
  for (const outcome of await waiting) t.match(outcome, { status: 'rejected', reason: { message: /broke/ } })
  const start = Buffer.alloc(1000)
  await file.readViews([start], 0)
  t.ok(start.equals(content.subarray(0, 1000)), 'what has come can still be read')
  t.equal(open.size, 0)
  file.close()
  await disk.close()
  t.same([spooled(), cached()], [[], []])
})

t.test('a store that gives too little or too much', async (t) => {
  for (const more of [-1, 1]) {
    const { disk } = await openScene(t)
    const read = async ({ start, end }: { start: number; end: number }) =>
      (async function* () {
        yield Buffer.alloc(end + 1 - start + more)
      })()
    const file = await disk.openArriving('k', 1_000, read)
    await t.rejects(file.arrival!.whole, /another length/)
    file.close()
    await disk.close()
  }
})
