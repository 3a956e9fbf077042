import t from 'tap'
import { pickRange } from '../../../src/http/bytes/range.ts'

function pick(range: string | undefined, sizeBytes = 10, ifRange?: string) {
  return pickRange({ range, 'if-range': ifRange }, sizeBytes, '"x"')
}

t.test('ranges', async (t) => {
  t.same(pick('bytes=0-0'), { start: 0, end: 0 })
  t.same(pick('bytes=3-'), { start: 3, end: 9 })
  t.same(pick('bytes=3-100'), { start: 3, end: 9 })
  t.same(pick('bytes=-4'), { start: 6, end: 9 })
  t.same(pick('bytes=-400'), { start: 0, end: 9 })
  t.same(pick('Bytes=9-9'), { start: 9, end: 9 })
})

t.test('what may be ignored is ignored', async (t) => {
  for (const range of [undefined, '', 'bytes=-', 'bytes=a-b', 'bytes=5-2', 'lines=0-1', 'bytes=0-1,3-4']) {
    t.equal(pick(range), undefined, range ?? 'none')
  }
  t.same(pick('bytes=1-2', 10, '"x"'), { start: 1, end: 2 }, 'the same version')
  t.equal(pick('bytes=1-2', 10, '"y"'), undefined, 'another version')
})

t.test('what lies outside is refused', async (t) => {
  const refusal = { code: 'RangeUnsatisfiable' }
  t.throws(() => pick('bytes=10-'), refusal)
  t.throws(() => pick('bytes=10-20'), refusal)
  t.throws(() => pick('bytes=-0'), refusal)
  t.throws(() => pick('bytes=0-', 0), refusal)
  t.throws(() => pick('bytes=-5', 0), refusal)
})
