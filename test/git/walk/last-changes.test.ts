/** The last commit of each path, compared with `git log -1` over histories with merges, moves and reverts. */
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../../src/bare/bare-repository.ts'
import { fairLoop } from '../../../src/git/fair-loop.ts'
import { type ObjectId, objectIdBytes } from '../../../src/git/object-id.ts'
import { findLastChanges } from '../../../src/git/walk/last-changes.ts'
import { git, gitSync, seededRandom, temporaryFolder } from '../../support/git-client.ts'
import { makeRandomRepository } from '../../support/random-repository.ts'

const commitsMax = 100_000
/** Git does not see that an empty folder comes or goes. */
const emptyFolder = 'nothing'

for (const seed of [1, 2, 3]) {
  t.test(`a random history, seed ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'repo.git')
    await makeRandomRepository(path, { random: seededRandom(seed), commits: 60, skew: 0.2 })
    const tips = (await git(path, 'for-each-ref', '--format=%(objectname) %(objecttype)')).split('\n')
    const repository = await openBareRepository(path)
    t.teardown(() => repository.close())
    const { objects } = repository
    let compared = 0
    for (const tip of tips.filter((line) => line.endsWith('commit')).slice(0, 3)) {
      const commitId = tip.slice(0, 40) as ObjectId
      const listed = await git(path, 'ls-tree', '-r', '-t', '-z', '--name-only', commitId)
      const paths = listed.split('\0').filter((name) => name !== '' && name !== emptyFolder)
      const question = {
        commit: objects.locate(objectIdBytes(commitId)),
        paths: paths.map((name) => Buffer.from(name)),
      }
      const found = await findLastChanges(objects, { ...question, commitsMax }, fairLoop())
      for (const [index, name] of paths.entries()) {
        const expected = await git(path, 'log', '-1', '--format=%H', commitId, '--', `:(literal)${name}`)
        const ordinal = found.get(index)
        if (ordinal === undefined || objects.idOf(ordinal) !== expected)
          t.fail(`${commitId} ${name}: ${expected} not ${ordinal && objects.idOf(ordinal)}`)
        compared++
      }
    }
    t.ok(compared > 10, `${compared} paths`)
  })
}

t.test('what is not there, and what lies too far back', async (t) => {
  const path = temporaryFolder(t)
  await git(path, 'init', '-q', '--bare')
  const stream = ['first', 'second', 'third'].map(
    (name, index) =>
      `commit refs/heads/main\nmark :${index + 1}\ncommitter C <c@example.org> ${1_700_000_000 + index} +0000\ndata 1\nx\n` +
      (index === 0 ? '' : `from :${index}\n`) +
      `M 644 inline folder/${name}\ndata 1\ny\n\n`,
  )
  gitSync(path, ['fast-import', '--quiet'], stream.join(''))
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const commit = objects.locate(objectIdBytes((await git(path, 'rev-parse', 'main')) as ObjectId))
  const paths = ['folder/third', 'folder/first', 'absent', 'folder/second/x', 'folder'].map((name) => Buffer.from(name))
  const whole = await findLastChanges(objects, { commit, paths, commitsMax }, fairLoop())
  t.same([...whole.keys()].sort(), [0, 1, 4])
  t.equal(objects.idOf(whole.get(1)!), await git(path, 'rev-parse', 'main~2'))
  const cut = await findLastChanges(objects, { commit, paths, commitsMax: 2 }, fairLoop())
  t.same([...cut.keys()].sort(), [0, 4])
})
