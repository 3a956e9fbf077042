/** What is reached is compared with `git rev-list --objects`, with and without notes of what each commit brought. */
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../../src/bare/bare-repository.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { locateId, type ObjectDatabase } from '../../../src/git/repository.ts'
import { ReachedObjects } from '../../../src/git/walk/reached-objects.ts'
import { git, makeHistory, seededRandom, temporaryFolder } from '../../support/git-client.ts'
import { openObjects, readAllObjects } from '../../support/objects.ts'

for (const kind of ['bare', 'noted']) {
  t.test(`${kind}: questions one after another, and side by side`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed: 81, commits: 120 })
    const repository = await openBareRepository(path)
    t.teardown(() => repository.close())
    const objects: ObjectDatabase =
      kind === 'bare' ? repository.objects : (await openObjects(readAllObjects(repository.objects))).objects
    const all = Array.from({ length: objects.ordinalCount }, (_, ordinal) => ordinal)
    const reached = async (...tips: string[]) => {
      const listed = await git(path, 'rev-list', '--objects', '--no-object-names', ...tips)
      return new Set(listed.split('\n'))
    }
    const ordinal = async (rev: string) => locateId(objects, (await git(path, 'rev-parse', rev)) as ObjectId)
    const random = seededRandom(81)
    for (const tips of [['main~30'], ['nested'], ['main~40', 'topic-1'], ['main~3^{tree}'], ['main:dir-1']]) {
      const expected = await reached(...tips)
      const walk = new ReachedObjects(objects, await Promise.all(tips.map(ordinal)))
      const ask = async () => {
        const asked = all.filter(() => random() < 0.02)
        const unreached = await walk.findUnreached(asked)
        t.same(
          unreached.map((each) => objects.idOf(each)),
          asked.map((each) => objects.idOf(each)).filter((id) => !expected.has(id)),
        )
      }
      await ask()
      await Promise.all([ask(), ask(), ask()])
      const rest = await walk.findUnreached(all)
      t.equal(all.length - rest.length, expected.size)
      const more = new ReachedObjects(objects, [await ordinal('main')], walk)
      t.equal(all.length - (await more.findUnreached(all)).length, (await reached(...tips, 'main')).size)
      t.equal((await walk.findUnreached(all)).length, rest.length, 'the first walk stays as it was')
    }
  })
}

t.test('a question that nobody waits for ends, and the next goes on from there', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 82, commits: 120 })
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const walk = new ReachedObjects(objects, [locateId(objects, (await git(path, 'rev-parse', 'main')) as ObjectId)])
  const all = Array.from({ length: objects.ordinalCount }, (_, ordinal) => ordinal)
  const reason = new Error('The client has left.')
  // The walk looks at the signal when its slice is over: on a clock that runs away, at every chance.
  const { now } = performance
  let time = now.call(performance)
  performance.now = () => (time += 10)
  t.teardown(() => {
    performance.now = now
  })
  await t.rejects(walk.findUnreached(all, AbortSignal.abort(reason)), reason)
  const unreached = await walk.findUnreached(all)
  const listed = await git(path, 'rev-list', '--objects', '--no-object-names', 'main')
  t.equal(all.length - unreached.length, new Set(listed.split('\n')).size)
})
