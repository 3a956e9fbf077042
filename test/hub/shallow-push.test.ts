/** Pushes from shallow clones, to a hosted repository and to git's own: both must answer the same. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { locateId } from '../../src/git/repository.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { run, temporaryFolder, tryGit } from '../support/git.ts'
import { makeCommit, makeTree } from '../support/objects.ts'
import { pushObjects, type Updates } from '../support/push-objects.ts'
import { openPushScene } from '../support/push-scene.ts'

/** A shallow clone whose history ends two commits back, with a branch of its own that is whole. */
async function openShallow(t: Test) {
  const scene = await openPushScene(t)
  const { commit, folder } = scene
  for (let number = 0; number < 5; number++) await commit(`commit ${number}`, { [`${number}.txt`]: `${number}` })
  const bare = join(temporaryFolder(t), 'bare.git')
  await run('git', ['init', '-q', '--bare', '-b', 'main', bare])
  const cwd = join(folder, '../shallow')
  await run('git', ['clone', '-q', '--depth=2', `file://${folder}`, cwd])
  const git = (...args: string[]) => tryGit(cwd, ...args)
  await git('commit', '-q', '--allow-empty', '-m', 'new')
  await git('checkout', '-q', '--orphan', 'whole')
  await git('commit', '-q', '-m', 'whole')
  /** What git shows of a push, ref by ref, for the hosted repository and for git's own. */
  const pushBoth = async (...args: string[]) => {
    const outcomes = []
    for (const url of [scene.remote, `file://${bare}`]) {
      const { stdout } = await git('push', '--porcelain', ...args.slice(0, -1), url, ...args.slice(-1)[0].split(' '))
      outcomes.push(
        stdout
          .split('\n')
          .filter((line) => line.includes('\t'))
          .sort(),
      )
    }
    return outcomes
  }
  const names = async (url: string) => (await git('ls-remote', '--refs', url)).stdout
  return { ...scene, bare, shallowGit: git, pushBoth, names }
}

t.test('groups 26 and 31: a cut history is refused for exactly the refs that lead to it', async (t) => {
  const { pushBoth, names, bare, remote, hub, repo, shallowGit } = await openShallow(t)
  const [ours, gits] = await pushBoth('main:main whole:whole main~1:refs/tags/cut')
  t.same(ours, gits)
  t.match(ours, [
    /^!\t\S+cut\t\[remote rejected\] \(shallow update not allowed\)/,
    /^!\t\S+main\t\[remote rejected\] \(shallow update not allowed\)/,
    /^\*\t\S*whole\S*\t\[new branch\]/,
  ])
  t.equal(await names(remote), await names(bare))
  const cut = (await shallowGit('rev-parse', 'main~1')).stdout.trim() as ObjectId
  await hub.repositories.withObjects(await openRepo(hub, operator, repo, 'read'), async (objects) => {
    t.equal(locateId(objects, cut), -1, 'nothing of what was refused is kept')
  })
  const copy = join(temporaryFolder(t), 'copy.git')
  t.equal((await run('git', ['clone', '-q', '--bare', remote, copy])).status, 0)
  t.equal((await run('git', ['fsck', '--strict'], { cwd: copy })).status, 0)
})

t.test('with nothing else to push, and atomically', async (t) => {
  const { pushBoth, names, remote } = await openShallow(t)
  const [alone, gits] = await pushBoth('main:main')
  t.same(alone, gits)
  const [atomic] = await pushBoth('--atomic', 'main:main whole:whole')
  t.match(atomic, [/shallow update not allowed/, /atomic push failure/])
  t.equal(await names(remote), '')
})

t.test('a history that is whole here may come from a shallow clone', async (t) => {
  const { git, folder, bare, pushBoth, names, remote } = await openShallow(t)
  await git('push', '-q', 'origin', 'main')
  await git('push', '-q', `file://${bare}`, 'main')
  const [ours, gits] = await pushBoth('main:main whole:whole')
  t.same(ours, gits)
  t.match(ours, [/^ \t/, /^\*\t/])
  t.equal(await names(remote), await names(bare))
  t.equal((await tryGit(folder, 'fetch', '-q', 'origin')).status, 0)
})

t.test('what is missing for another reason is told as that', async (t) => {
  const { hub, repo } = await openPushScene(t)
  const tree = makeTree()
  const [lost, other] = [makeCommit(tree, [], 1), makeCommit(tree, [], 2)]
  const [cut, broken] = [makeCommit(tree, [lost], 3), makeCommit(tree, [other], 4)]
  const updates: Updates = { 'refs/heads/a': [undefined, cut.id], 'refs/heads/b': [undefined, broken.id] }
  const { report, said } = await pushObjects(hub, repo, updates, [tree, cut, broken], { shallowIds: [cut.id] })
  t.match(report.results, [{ reason: 'missing necessary objects' }, { reason: 'missing necessary objects' }])
  t.match(said, /^error: object [0-9a-f]{40} is missing$/m)
  const both = await pushObjects(hub, repo, updates, [tree, cut, broken], { shallowIds: [cut.id, broken.id] })
  t.match(both.report.results, [{ reason: 'shallow update not allowed' }, { reason: 'shallow update not allowed' }])
  const absent = await pushObjects(hub, repo, updates, [tree, cut, broken], { shallowIds: [lost.id] })
  t.match(absent.report.results, [{ reason: 'missing necessary objects' }, {}])
})
