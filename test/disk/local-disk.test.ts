import { mkdirSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { LocalFile } from '../../src/disk/disk.ts'
import { openDisk } from '../../src/disk/local-disk.ts'
import { localFileFrom } from '../../src/disk/local-file.ts'

async function* once(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function textOf(file: LocalFile): string {
  const bytes = Buffer.alloc(file.sizeBytes)
  return bytes.subarray(0, file.readSync(bytes, 0, bytes.length, 0)).toString()
}

function descriptorsUnder(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return targets.filter((target) => target.startsWith(folder)).length
}

t.test('one fill and one descriptor however many callers open a key', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  let fills = 0
  const fill = async () => {
    fills += 1
    return once('pack bytes')
  }
  const files = await Promise.all(Array.from({ length: 100 }, () => disk.open('packs/1/../a', fill)))
  t.equal(fills, 1)
  t.equal(descriptorsUnder(folder), 1)
  for (const file of files.slice(1)) file.close()
  files[1].close()
  t.equal(textOf(files[0]), 'pack bytes', 'closing twice releases once')
  t.throws(() => textOf(files[1]), /closed/, 'a closed file reads nothing, whatever its descriptor is now')
  files[0].close()
  const again = await disk.open('packs/1/../a', fill)
  t.equal(fills, 1, 'cached')
  again.close()
  await disk.close()
  await t.rejects(disk.open('k', fill), /closed/)
})

t.test('a read ends at the end of the file', async (t) => {
  const disk = await openDisk({ folder: t.testdir(), cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  const file = await disk.open('k', async () => once('0123456789'))
  const into = Buffer.alloc(8, '-')
  t.equal(file.readSync(into, 1, 4, 8), 2)
  t.equal(into.toString(), '-89-----')
  t.equal(file.readSync(into, 0, 4, 10), 0)
  file.close()
})

t.test('views are filled one after another, or not at all', async (t) => {
  const disk = await openDisk({ folder: t.testdir(), cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  const file = await disk.open('k', async () => once('0123456789'))
  const into = Buffer.alloc(10, '-')
  await file.readViews([into.subarray(1, 4), into.subarray(5, 6)], 2)
  t.equal(into.toString(), '-234-5----')
  await t.rejects(file.readViews([into], 2), /shorter/)
  file.close()
  await t.rejects(file.readViews([into], 0), /closed/)
})

t.test('a fill that fails rejects all who wait, leaves nothing, and is tried again', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  const broken = async () =>
    (async function* () {
      yield Buffer.from('half')
      throw new Error('the source broke')
    })()
  const results = await Promise.allSettled([disk.open('k', broken), disk.open('k', broken)])
  for (const result of results) t.match(result, { status: 'rejected', reason: { message: 'the source broke' } })
  await t.rejects(
    disk.open('k', () => Promise.reject(new Error('no source'))),
    /no source/,
  )
  t.same(readdirSync(join(folder, 'spool')), [])
  t.same(readdirSync(join(folder, 'cache')), [])
  const file = await disk.open('k', async () => once('whole'))
  t.equal(textOf(file), 'whole')
  file.close()
})

t.test('least recently used files go first, open ones stay until they are closed', async (t) => {
  const folder = t.testdir()
  const cached = () => readdirSync(join(folder, 'cache')).length
  const disk = await openDisk({ folder, cacheMaxBytes: 25, spoolMaxBytes: 1000 })
  const fills: string[] = []
  const openKey = (key: string) =>
    disk.open(key, async () => {
      fills.push(key)
      return once('0123456789')
    })
  for (const key of ['a', 'b', 'a', 'c']) (await openKey(key)).close()
  await waitFor(() => cached() === 2)
  for (const key of ['a', 'c']) (await openKey(key)).close()
  t.same(fills, ['a', 'b', 'c'], 'b had been used least recently')
  const held = await Promise.all(['a', 'b', 'c', 'd'].map(openKey))
  t.equal(textOf(held[0]), '0123456789')
  for (const file of held) file.close()
  await waitFor(() => cached() === 2)
})

t.test('files that come and go while others are evicted are never mixed up', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 50, spoolMaxBytes: 1000 })
  let turn = 0
  const useKey = async () => {
    for (let i = 0; i < 50; i += 1) {
      turn += 7
      const text = `file ${turn % 13}`.padEnd(10, '.')
      const file = await disk.open(text, async () => once(text))
      if (textOf(file) !== text) t.fail(`${textOf(file)} instead of ${text}`)
      if (turn % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      file.close()
    }
  }
  await Promise.all(Array.from({ length: 10 }, useKey))
  await waitFor(() => descriptorsUnder(folder) === 0)
  await waitFor(() => readdirSync(join(folder, 'cache')).length <= 5)
  t.same(readdirSync(join(folder, 'spool')), [])
})

t.test('what lies in the cache at start counts, in the order of its use', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 100, spoolMaxBytes: 1000 })
  for (const key of ['a', 'b', 'c']) (await disk.open(key, async () => once('0123456789'))).close()
  await disk.close()
  const names = readdirSync(join(folder, 'cache'))
  for (const [i, name] of names.entries()) utimesSync(join(folder, 'cache', name), 1000 + i, 1000 + i)
  await openDisk({ folder, cacheMaxBytes: 10, spoolMaxBytes: 1000 })
  t.same(readdirSync(join(folder, 'cache')), [names[2]])
})

t.test('a file larger than the cache is served, and gone when closed', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 0, spoolMaxBytes: 1000 })
  const file = await disk.open('k', async () => once('0123456789'))
  t.equal(textOf(file), '0123456789')
  file.close()
  await waitFor(() => readdirSync(join(folder, 'cache')).length === 0)
})

t.test('folders deleted at run time cost a fill only, even during one', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  const held = await disk.open('k', async () => once('first'))
  rmSync(folder, { recursive: true })
  t.equal(textOf(held), 'first')
  held.close()
  const during = await disk.open('k', async () =>
    (async function* () {
      yield Buffer.from('sec')
      rmSync(folder, { recursive: true })
      yield Buffer.from('ond')
    })(),
  )
  t.equal(textOf(during), 'second')
  during.close()
  const third = await disk.open('k', async () => once('third'))
  t.equal(textOf(third), 'third')
  third.close()
  rmSync(folder, { recursive: true })
  const spool = disk.createSpool()
  spool.close()
})

t.test('all spools together are bounded; what one held is free again when it is closed', async (t) => {
  const disk = await openDisk({ folder: t.testdir(), cacheMaxBytes: 0, spoolMaxBytes: 1000 })
  const [first, second] = [disk.createSpool(), disk.createSpool()]
  await first.write(Buffer.alloc(600))
  const full = { code: 'StorageFull', message: /spool .* is full \(SPOOL_MAX_BYTES: 1000 bytes for all at once\)/ }
  await t.rejects(second.write(Buffer.alloc(401)), full)
  t.equal(second.file.sizeBytes, 0, 'nothing of it was written')
  await second.write(Buffer.alloc(400))
  await t.rejects(second.write(Buffer.alloc(1)), full)
  first.close()
  first.close()
  await t.rejects(second.write(Buffer.alloc(601)), full, 'closing twice frees once')
  await second.write(Buffer.alloc(600))
  t.equal(second.file.sizeBytes, 1000)
  second.close()
})

t.test('what a crashed process left is swept at the start', async (t) => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'spool'))
  writeFileSync(join(folder, 'spool', 'x.filling'), 'half')
  await openDisk({ folder, cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  t.same(readdirSync(join(folder, 'spool')), [])
})

t.test('free bytes are those of the folder, which must be writable', async (t) => {
  const folder = t.testdir()
  const disk = await openDisk({ folder, cacheMaxBytes: 1000, spoolMaxBytes: 1000 })
  t.ok((await disk.freeBytes()) > 0)
  rmSync(folder, { recursive: true })
  await t.rejects(disk.freeBytes(), { code: 'ENOENT' })
})

t.test('an open handle becomes a local file without a copy', async (t) => {
  const folder = t.testdir({ file: 'content' })
  const file = localFileFrom(await open(join(folder, 'file'), 'r'), 7)
  t.equal(textOf(file), 'content')
  file.close()
  file.close()
  t.throws(() => textOf(file), /closed/)
  await waitFor(() => descriptorsUnder(folder) === 0)
})

async function waitFor(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
}
