import { randomBytes } from 'node:crypto'
import t from 'tap'
import { applyDelta, readDeltaSizes } from '../../../src/git/pack/delta.ts'
import { appendDelta } from '../../support/raw-pack.ts'

t.test('copies and inserts, from a base larger than one copy', async (t) => {
  for (const size of [0, 1, 47, 48, 65_536, 0xffffff + 10]) {
    const base = randomBytes(size)
    const delta = appendDelta(size, 'more')
    t.match(readDeltaSizes(delta), { baseSizeBytes: size, resultSizeBytes: size + 4 })
    t.ok(applyDelta(base, delta).equals(Buffer.concat([base, Buffer.from('more')])))
  }
  const long = randomBytes(65_536)
  t.ok(applyDelta(long, Buffer.from([0x80, 0x80, 4, 0x80, 0x80, 4, 0x80])).equals(long), 'length 0 stands for 64 KiB')
})

t.test('nothing in a delta is believed', async (t) => {
  const base = Buffer.from('hello')
  for (const bytes of [
    [],
    [5],
    [5, 0x80],
    [4, 1, 1, 65],
    [5, 1, 0],
    [5, 1],
    [5, 1, 2, 65, 66],
    [5, 2, 0x91, 4, 2],
    [5, 1, 0x91],
  ]) {
    t.throws(() => applyDelta(base, Buffer.from(bytes)), { code: 'PackInvalid' }, bytes.join())
  }
  t.throws(() => readDeltaSizes(Buffer.alloc(20, 255)), { code: 'PackInvalid' })
})
