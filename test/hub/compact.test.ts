/** When a forced push has the clone pack made anew. */
import t from 'tap'
import type { RepoId } from '../../src/database/queryable.ts'
import { compactionJob, forcedCompactionJob } from '../../src/hub/compact.ts'

const one = '1' as RepoId

t.test('at once where it is small, later the larger it is, never later than in an hour', async (t) => {
  const runAt = (bytes: number | null) => Number(forcedCompactionJob(one, bytes).runAt)
  const delay = (bytes: number | null) => Math.round((runAt(bytes) - Date.now()) / 1000)
  t.equal(delay(null), 0)
  t.equal(delay(100_000), 0)
  t.ok(Math.abs(delay(300 * 2 ** 20) - 300) <= 1)
  t.ok(Math.abs(delay(2 ** 40) - 3_600) <= 1)
})

t.test('what is due meanwhile does not wait for it, and both never run at once', async (t) => {
  const [ordinary, forced] = [compactionJob(one), forcedCompactionJob(one, 2 ** 40)]
  t.not(ordinary.key, forced.key)
  t.not(ordinary.key, compactionJob('2' as RepoId).key)
})
