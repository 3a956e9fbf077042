import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createSpoolFile } from '../../src/disk/spool.ts'
import { createSpoolBudget } from '../../src/disk/spool-budget.ts'

t.test('what is written can be read at once at any position, in memory or not', async (t) => {
  const folder = t.testdir()
  const spool = createSpoolFile(folder, createSpoolBudget(1 << 23))
  t.same(readdirSync(folder), [], 'it has no file yet')
  const sizes = [1, 100, 65_536, 262_143, 262_144, 262_145, 0, 700_000, 5]
  const all = randomBytes(sizes.reduce((sum, size) => sum + size, 0))
  let written = 0
  for (const size of sizes) {
    await spool.write(all.subarray(written, written + size))
    written += size
    t.equal(spool.file.sizeBytes, written)
    for (const start of [0, written >> 1, Math.max(0, written - 300_000), Math.max(0, written - 3), written]) {
      const into = Buffer.alloc(400_000)
      const count = spool.file.readSync(into, 7, 300_000, start)
      t.equal(count, Math.min(300_000, written - start))
      t.ok(into.subarray(7, 7 + count).equals(all.subarray(start, start + count)))
    }
  }
  const hash = createHash('sha256')
  for await (const piece of spool.stream()) hash.update(piece)
  t.equal(hash.digest('hex'), createHash('sha256').update(all).digest('hex'))
  spool.close()
})

t.test('a chunk may be changed by its owner once it is written', async (t) => {
  const spool = createSpoolFile(t.testdir(), createSpoolBudget(1 << 23))
  const chunk = Buffer.from('aaa')
  await spool.write(chunk)
  chunk.fill('b')
  const into = Buffer.alloc(3)
  spool.file.readSync(into, 0, 3, 0)
  t.equal(into.toString(), 'aaa')
  spool.close()
})

t.test('closing while a write is under way waits for it; afterwards nothing is read or written', async (t) => {
  const budget = createSpoolBudget(4 << 20)
  const spool = createSpoolFile(t.testdir(), budget)
  const writing = spool.write(Buffer.alloc(4 << 20))
  spool.close()
  spool.close()
  t.throws(() => budget.take(1), { code: 'StorageFull' }, 'the bytes still lie there')
  await writing
  t.doesNotThrow(() => budget.take(4 << 20))
  await t.rejects(spool.write(Buffer.from('x')), /closed/)
  t.throws(() => spool.file.readSync(Buffer.alloc(1), 0, 1, 0), /closed/)
  await t.rejects(async () => {
    for await (const _ of spool.stream());
  }, /closed/)
})

t.test('what another thread has written takes what it is, and no longer what was reserved for it', async (t) => {
  const budget = createSpoolBudget(1_000)
  const spool = createSpoolFile(t.testdir(), budget)
  spool.reserve(900)
  spool.adopt(300)
  t.doesNotThrow(() => budget.take(700))
  const larger = createSpoolFile(t.testdir(), budget)
  t.throws(() => larger.adopt(1), { code: 'StorageFull' })
  larger.close()
  spool.close()
  t.doesNotThrow(() => budget.take(300))
  t.throws(() => budget.take(1), { code: 'StorageFull' }, 'each byte is released once')
})

t.test('two writes at once are refused', async (t) => {
  const spool = createSpoolFile(t.testdir(), createSpoolBudget(1 << 23))
  const first = spool.write(Buffer.alloc(1 << 20))
  await t.rejects(spool.write(Buffer.alloc(1)), /one write at a time/)
  await first
  spool.close()
})

t.test('what fits in memory makes no file', async (t) => {
  const folder = join(t.testdir(), 'spool')
  const spool = createSpoolFile(folder, createSpoolBudget(1 << 23))
  const all = randomBytes(300_000)
  for (let start = 0; start < 200_000; start += 7_000) await spool.write(all.subarray(start, start + 7_000))
  const into = Buffer.alloc(300_000)
  t.equal(spool.file.readSync(into, 0, 300_000, 0), 203_000)
  t.ok(into.subarray(0, 203_000).equals(all.subarray(0, 203_000)))
  t.notOk(existsSync(folder))
  await spool.write(all.subarray(203_000))
  t.equal(spool.file.readSync(into, 0, 300_000, 0), 300_000)
  t.ok(into.equals(all))
  t.ok(existsSync(folder))
  spool.close()
})

t.test('its file can be linked to once all of it lies there, and is complete then', async (t) => {
  const folder = t.testdir()
  const spool = createSpoolFile(folder, createSpoolBudget(1 << 23))
  t.equal(spool.linkPath(), undefined, 'there is no file')
  await spool.write(Buffer.from('in memory'))
  t.equal(spool.linkPath(), undefined, 'part of it lies in memory')
  await spool.write(Buffer.alloc(1 << 20))
  const path = spool.linkPath()
  t.equal(path && statSync(path).size, (1 << 20) + 9)
  await t.rejects(spool.write(Buffer.from('x')), /stays as it is/)
  spool.close()
  t.same(readdirSync(folder), [], 'its name goes when it is closed')
})
