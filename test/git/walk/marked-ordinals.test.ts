import t from 'tap'
import { markedOrdinals } from '../../../src/git/walk/marked-ordinals.ts'

t.test('marks of any length, anywhere', async (t) => {
  for (let length = 0; length < 12; length++) {
    for (let pattern = 0; pattern < 2 ** length; pattern++) {
      const marks = Uint8Array.from({ length }, (_, ordinal) => ((pattern >> ordinal) & 1) * (ordinal + 1))
      const expected = [...marks.keys()].filter((ordinal) => marks[ordinal] !== 0)
      if (String([...markedOrdinals(marks)]) !== String(expected)) t.fail(`${length}: ${pattern}`)
    }
  }
})
