import { test } from 'tap'
import { OrdinalNumbers } from '../../../src/git/walk/ordinal-numbers.ts'

test('numbers are 0 until they are set, each by itself', async (t) => {
  const count = 3_000
  const numbers = new OrdinalNumbers(count)
  const expected = new Map<number, number>()
  for (let ordinal = 0; ordinal < count; ordinal += 7) {
    numbers.set(ordinal, ordinal * 3 + 1)
    expected.set(ordinal, ordinal * 3 + 1)
  }
  numbers.set(count - 1, 0xffffffff)
  expected.set(count - 1, 0xffffffff)
  for (let ordinal = 0; ordinal < count; ordinal++) {
    if (numbers.get(ordinal) !== (expected.get(ordinal) ?? 0)) t.fail(`wrong at ${ordinal}`)
  }
  t.equal(new OrdinalNumbers(count).get(7), 0, 'what one was told no other one knows')
})
