import t from 'tap'
import { BaseCache } from '../../../src/git/pack/base-cache.ts'
import { BaseMemory } from '../../../src/git/pack/base-memory.ts'

t.test('memory that was given back is lent again, to what fits well', async (t) => {
  const memory = new BaseMemory()
  const large = memory.take(5_000)
  t.ok(large.byteLength >= 5_000)
  memory.giveBackAll([large])
  t.not(memory.take(100), large)
  t.equal(memory.take(8_192), large)
  t.not(memory.take(8_192), large, 'to one at a time')
  const huge = memory.take(2 ** 23 + 1)
  t.equal(huge.byteLength, 2 ** 23 + 1)
  memory.giveBack(huge)
  t.not(memory.take(2 ** 23 + 1), huge, 'what is huge is not kept')
})

t.test('the least recently used base goes first, and what it lies in is given back', async (t) => {
  const memory = new BaseMemory()
  const cache = new BaseCache(3 * 2048, memory)
  const lend = () => {
    const lent = memory.take(2048)
    return { data: Buffer.from(lent), starts: undefined, lent: [lent] }
  }
  const bases = [lend(), lend(), lend()]
  for (const [number, base] of bases.entries()) cache.put(number, base)
  cache.put(0, cache.take(0)!)
  cache.put(3, lend())
  t.equal(cache.get(1), undefined)
  t.equal(cache.get(0), bases[0])
  t.equal(memory.take(2048), bases[1].lent[0])
  const own = { data: Buffer.alloc(9_000), starts: Uint32Array.of(1), lent: [] }
  cache.put(4, own)
  t.equal(cache.get(4), own, 'one that is too large for the cache is held alone')
  t.equal(cache.take(0), undefined)
})
