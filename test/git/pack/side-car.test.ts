/** Side-cars say what the pack itself says, and damaged ones are noticed. */
import { join } from 'node:path'
import t from 'tap'
import { commitIds, committerSeconds } from '../../../src/git/commit.ts'
import { idBytes } from '../../../src/git/object-id.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { formatSideCar, SideCar } from '../../../src/git/pack/side-car.ts'
import { emptyCommitRow, type ObjectDatabase, type Ordinal } from '../../../src/git/repository.ts'
import { git, makeHistory, temporaryFolder } from '../../support/git-client.ts'
import { storedEntry } from '../../support/objects.ts'
import { held, packOf, receiveBytes, receiveInTwo } from '../../support/two-packs.ts'

const readRow = (objects: ObjectDatabase, ordinal: Ordinal) => {
  const row = emptyCommitRow()
  if (!objects.readCommitRow(ordinal, row)) return undefined
  return { ...row, parents: row.parents.slice(0, row.parentCount) }
}

for (const seed of [31, 32]) {
  t.test(`history ${seed}: what is noted is what the entries say`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 120 })
    const [first, second] = await receiveInTwo(path)
    t.ok(second.received.isThin)
    const noted = new PackSet([first.pack, second.pack], held)
    const plain = new PackSet([first.plain, second.plain], held)
    let commits = 0
    for (let ordinal = 0; ordinal < plain.ordinalCount; ordinal++) {
      const { type, data } = plain.read(ordinal)
      t.same(noted.stat(ordinal), plain.stat(ordinal))
      t.same(storedEntry(noted, ordinal), storedEntry(plain, ordinal))
      t.same(noted.read(ordinal).data, data)
      if (type !== 'commit') {
        t.equal(readRow(noted, ordinal), undefined)
        continue
      }
      commits++
      const ids = commitIds(data)
      const named = Array.from({ length: ids.length / idBytes }, (_, at) => plain.locate(ids, at * idBytes))
      const row = readRow(noted, ordinal)!
      t.same([row.tree, ...row.parents], named)
      t.equal(row.dateSeconds, committerSeconds(data))
      const greatest = Math.max(0, ...row.parents.map((parent) => readRow(noted, parent)!.generation))
      t.equal(row.generation, Math.max(row.dateSeconds, greatest + 1), 'a corrected date')
    }
    t.equal(commits, Number(await git(path, 'rev-list', '--all', '--count')))
    t.same(noted.inStoredOrder(all(noted.ordinalCount)), plain.inStoredOrder(all(noted.ordinalCount)))
  })
}

t.test('a generation is known only where those of all ancestors are', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 33, commits: 60 })
  const [first, second] = await receiveInTwo(path)
  const ancestorsKnown = new PackSet([first.plain, second.pack], held)
  const { pack } = await receiveBytes(second.bytes, [first.plain])
  const ancestorsUnknown = new PackSet([first.plain, pack], held)
  let commits = 0
  for (let ordinal = first.plain.index.objectCount; ordinal < ancestorsKnown.ordinalCount; ordinal++) {
    const row = readRow(ancestorsKnown, ordinal)
    if (row === undefined) continue
    commits++
    t.ok(row.generation > 0)
    t.equal(readRow(ancestorsUnknown, ordinal)?.generation, 0)
  }
  t.ok(commits > 0)
})

t.test('a damaged side-car is refused, whatever is damaged', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 34, commits: 30 })
  const [{ received, pack }] = await receiveInTwo(path)
  const { sideCar } = received
  const { index } = pack
  t.ok(new SideCar(sideCar, index))
  const unaligned = Buffer.concat([Buffer.alloc(3), sideCar]).subarray(3)
  t.equal(new SideCar(unaligned, index).commitCount, pack.sideCar!.commitCount)
  for (let at = 0; at < sideCar.length; at += at < 128 ? 1 : 97) {
    const damaged = Buffer.from(sideCar)
    damaged[at] ^= 1
    t.throws(() => new SideCar(damaged, index), { code: 'PackInvalid' }, `byte ${at}`)
  }
  for (const length of [0, 10, 91, sideCar.length - 1]) {
    t.throws(() => new SideCar(Buffer.from(sideCar.subarray(0, length)), index), { code: 'PackInvalid' })
  }
  const other = { packChecksum: index.packChecksum, objectCount: index.objectCount + 1 }
  t.throws(() => new SideCar(sideCar, other), { code: 'PackInvalid', message: /do not fit/ })
})

t.test('sizes of 2 GiB and more', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 35, commits: 3 })
  const { pack } = await receiveBytes(packOf(path, ['main']), [])
  const tables = {
    ...pack.sideCar!.tables,
    largeSizes: Float64Array.of(2 ** 40 + 1),
    sizes: Uint32Array.from(pack.sideCar!.tables.sizes),
  }
  tables.sizes[1] = 0x80000000
  const large = new SideCar(formatSideCar(tables, pack.index.packChecksum), pack.index)
  t.equal(large.sizeOf(1), 2 ** 40 + 1)
  t.equal(large.sizeOf(0), pack.sideCar!.sizeOf(0))
})

const all = (count: number) => Uint32Array.from({ length: count }, (_, ordinal) => ordinal)
