import t from 'tap'
import { DateQueue } from '../../../src/git/walk/date-queue.ts'
import { seededRandom } from '../../support/git-client.ts'

t.test('the newest comes first, however pushes and pops are mixed and dates are alike', (t) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed)
    const queue = new DateQueue()
    const waiting: number[] = []
    const dates: number[] = []
    for (let step = 0; step < 3_000; step++) {
      if (waiting.length === 0 || random() < 0.55) {
        const date = Math.floor(random() * 40)
        queue.push(dates.push(date) - 1, date)
        waiting.push(date)
      } else {
        const newest = Math.max(...waiting)
        if (queue.newestDate !== newest) t.fail('the newest date is another')
        if (dates[queue.pop()] !== newest) t.fail('an older commit came out')
        waiting.splice(waiting.indexOf(newest), 1)
      }
      if (queue.length !== waiting.length) t.fail('a commit was lost')
    }
    const left = new Set(Array.from({ length: queue.length }, () => queue.pop()))
    t.equal(left.size, waiting.length, 'each comes out once')
  }
  t.end()
})
