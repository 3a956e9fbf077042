import { randomBytes } from 'node:crypto'
import t from 'tap'
import { IdSet } from '../../../src/git/pack/id-set.ts'

t.test('members keep their number and marks while the set grows', async (t) => {
  const set = new IdSet()
  const ids = randomBytes(20 * 5_000)
  for (let member = 0; member < 5_000; member++) {
    if (set.find(ids, member * 20) !== -1 || set.add(ids, member * 20) !== member) t.fail(`member ${member}`)
    set.marks[member] = member % 251
  }
  for (let member = 0; member < 5_000; member++) {
    if (set.add(ids, member * 20) !== member || set.marks[member] !== member % 251) t.fail(`member ${member}`)
  }
  t.equal(set.size, 5_000)
  t.ok(set.ids.subarray(0, ids.length).equals(ids))
})

t.test('ids that differ only at their end do not slow it down', async (t) => {
  const set = new IdSet()
  const id = Buffer.alloc(20)
  for (let member = 0; member < 100_000; member++) {
    id.writeUInt32BE(member, 16)
    set.add(id, 0)
  }
  t.equal(set.size, 100_000)
})
