import t from 'tap'
import type { PackTier } from '../../src/database/packs.ts'
import { choosePacks, isCloneOutgrown, isCompactionDue } from '../../src/repository/compaction-plan.ts'

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
    sectionChecksums: null,
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

const limits = { compactionPacksMin: 20, clonePackObjectsMin: 1_000, clonePackBytesMin: 1_000_000 }
const pack = (tier: PackTier, objectCount: number, packBytes: number) => ({ tier, objectCount, packBytes })

t.test('a clone pack is made once the repository is large enough for one', async (t) => {
  t.notOk(isCloneOutgrown([], limits))
  t.notOk(isCloneOutgrown([pack('received', 1_000, 1_000_000)], limits))
  t.ok(isCloneOutgrown([pack('received', 1_001, 0)], limits))
  t.ok(isCloneOutgrown([pack('received', 1, 500_001), pack('merged', 1, 500_000)], limits))
})

t.test('and made anew when a quarter has come since, in objects or bytes', async (t) => {
  const clone = pack('clone', 8_000, 80_000_000)
  const rest = pack('rest', 100_000, 900_000_000)
  t.notOk(isCloneOutgrown([clone, rest], limits), 'what else there is does not count')
  t.notOk(isCloneOutgrown([clone, rest, pack('received', 2_000, 20_000_000)], limits))
  t.ok(isCloneOutgrown([clone, rest, pack('received', 2_001, 0)], limits))
  t.ok(isCloneOutgrown([clone, rest, pack('received', 1, 20_000_001)], limits))
})

t.test('a push asks for compaction when it is due, and clone pack and rest are never merged', async (t) => {
  const small = Array.from({ length: 19 }, () => pack('received', 1, 100))
  const large = [pack('clone', 8_000, 80_000_000), pack('rest', 10, 100)]
  t.notOk(isCompactionDue([...large, ...small], limits))
  t.ok(isCompactionDue([...large, ...small, pack('merged', 1, 100)], limits))
  t.same(choosePacks([...large, ...small]).length, 19)
})
