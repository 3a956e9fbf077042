import t from 'tap'
import { choosePacks } from '../../src/repository/compaction-plan.ts'

function rows(...sizes: number[]) {
  return sizes.map((packBytes, index) => ({
    id: String(index),
    sequence: String(index),
    isThin: false,
    isInline: false,
    checksum: Buffer.alloc(20),
    objectCount: 1,
    indexBytes: 1100,
    packBytes,
    tier: 'received' as const,
    sectionCounts: null,
    sectionEnds: null,
    tipIds: null,
  }))
}

const chosenSizes = (...sizes: number[]) => choosePacks(rows(...sizes)).map((row) => row.packBytes)

t.test('a geometric progression is left alone', async (t) => {
  t.same(chosenSizes(), [])
  t.same(chosenSizes(500), [])
  t.same(chosenSizes(1, 3, 10, 40, 1000), [])
})

t.test('small packs are merged up to where the next is large enough by itself', async (t) => {
  t.same(chosenSizes(10, 10, 10, 1000), [10, 10, 10])
  t.same(chosenSizes(1000, 10, 10), [10, 10])
  t.same(chosenSizes(10, 10, 10, 50, 1000), [10, 10, 10, 50])
})

t.test('a violation above drags all smaller packs along', async (t) => {
  t.same(chosenSizes(1, 3, 10, 600, 1000), [1, 3, 10, 600, 1000])
})
