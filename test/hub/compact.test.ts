/** When a forced push has the clone pack made anew. */
import t from 'tap'
import { forcedCompactionAt } from '../../src/hub/compact.ts'

t.test('at once where it is small, later the larger it is, never later than in an hour', async (t) => {
  const delay = (bytes: number | null) => Math.round((forcedCompactionAt(bytes).getTime() - Date.now()) / 1000)
  t.equal(delay(null), 0)
  t.equal(delay(100_000), 0)
  t.ok(Math.abs(delay(300 * 2 ** 20) - 300) <= 1)
  t.ok(Math.abs(delay(2 ** 40) - 3_600) <= 1)
})
