/** An index and a side-car in one file, and what becomes of older and of damaged ones. */
import t from 'tap'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import { formatIndexFile, openIndexFile, splitIndexFile } from '../../src/repository/index-file.ts'
import { blob, memorySpool, rawPack } from '../support/raw-pack.ts'

const limits = { gitPackMaxBytes: 2 ** 20, gitPackMaxObjects: 10, gitObjectHeldMaxBytes: 2 ** 20, gitDeltaDepthMax: 5 }

async function receive(blobCount: number) {
  const input = (async function* () {
    yield rawPack(Array.from({ length: blobCount }, (_, number) => blob(`blob ${number}`)))
  })()
  const existing = new PackSet([], { objectHeldMaxBytes: 2 ** 20 })
  return receivePackFile(input, { spool: memorySpool(), existing, limits })
}

for (const blobCount of [0, 1, 2, 5]) {
  t.test(`${blobCount} objects: both parts come back`, async (t) => {
    const received = await receive(blobCount)
    const bytes = formatIndexFile(received)
    const parts = splitIndexFile(bytes, received.index.length)
    t.same(parts.index, received.index)
    t.same(parts.sideCar, received.sideCar)
    t.ok(bytes.subarray(0, received.index.length).equals(received.index), 'what git would write stands first')
    for (const isChecked of [true, false]) {
      const { index, sideCar } = openIndexFile(bytes, received.index.length, { isChecked })
      t.equal(index.objectCount, blobCount)
      t.equal(sideCar?.objectCount, blobCount)
    }
  })
}

t.test('an index without a side-car, as older ones are', async (t) => {
  const { index } = await receive(3)
  t.equal(openIndexFile(index, index.length).sideCar, undefined)
  t.equal(openIndexFile(index, index.length).index.objectCount, 3)
})

t.test('a damaged side-car counts as none, a damaged index is refused', async (t) => {
  const received = await receive(3)
  const bytes = formatIndexFile(received)
  const rotten = Buffer.from(bytes)
  rotten[rotten.length - 1] ^= 1
  t.equal(openIndexFile(rotten, received.index.length).sideCar, undefined)
  t.equal(openIndexFile(bytes.subarray(0, -3), received.index.length).sideCar, undefined)
  rotten[100] ^= 1
  t.throws(() => openIndexFile(rotten, received.index.length), { code: 'PackInvalid' })
})
