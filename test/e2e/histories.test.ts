/** Git histories go in and come out equal: every ref, every object, in both deployments, at whichever server one asks. */
import { join } from 'node:path'
import t from 'tap'
import { describeRepository, git, temporaryFolder } from '../support/git.ts'
import { type HistoryName, makeHistory } from '../support/histories.ts'
import { createAccount, inBothDeployments } from '../support/test-server.ts'

const names: HistoryName[] = ['small', 'merges', 'renames', 'tags', 'thousands']
const folder = temporaryFolder(t, 'histories')
const made = new Map<HistoryName, string>()

t.before(async () => {
  for (const name of names) made.set(name, await makeHistory(join(folder, `${name}.git`), name))
})

inBothDeployments(t, 'histories', async (t, { name: kind, servers }) => {
  const [first] = servers
  const last = servers[servers.length - 1]
  const ada = await createAccount(first, 'ada')

  for (const name of names) {
    t.test(name, async (t) => {
      const original = made.get(name) as string
      await first.holdfast('repo', 'create', 'model', `ada/${name}`)
      await git(original, 'push', '--quiet', '--mirror', first.repoUrl(ada, `ada/${name}`))

      const clone = join(folder, `${kind}-${name}.git`)
      await git(folder, 'clone', '--quiet', '--mirror', last.repoUrl(ada, `ada/${name}`), clone)
      t.equal(await git(clone, 'fsck', '--strict', '--no-dangling'), '', 'fsck finds nothing')
      t.ok(sameAs(await describeRepository(clone), await describeRepository(original)), 'every ref and every object')

      await git(
        folder,
        '-c',
        'protocol.version=0',
        'clone',
        '--quiet',
        '--bare',
        `${last.url}/ada/${name}`,
        `${clone}.v0`,
      )
      t.equal(
        await git(`${clone}.v0`, 'rev-parse', 'HEAD'),
        await git(original, 'rev-parse', 'HEAD'),
        'protocol version 0',
      )
    })
  }

  t.test('a history that grows is fetched, commit by commit', async (t) => {
    const original = made.get('merges') as string
    const steps = (await git(original, 'rev-list', '--first-parent', '--reverse', 'refs/heads/main')).split('\n')
    await first.holdfast('repo', 'create', 'dataset', 'ada/grows')
    const pushUrl = first.repoUrl(ada, 'datasets/ada/grows')
    const clone = join(folder, `${kind}-grows`)
    await git(folder, 'clone', '--quiet', last.repoUrl(ada, 'datasets/ada/grows'), clone)
    for (let step = 0; step < steps.length; step += 60) {
      await git(original, 'push', '--quiet', pushUrl, `${steps[step]}:refs/heads/main`)
      await git(clone, 'pull', '--quiet', 'origin', 'main')
      t.equal(await git(clone, 'rev-parse', 'HEAD'), steps[step])
    }
    t.equal(await git(clone, 'fsck', '--strict', '--no-dangling'), '')
  })
})

/** Compared as one, so that a difference of thousands of lines is not printed. */
function sameAs(a: { refs: string; objects: string }, b: { refs: string; objects: string }): boolean {
  return a.refs === b.refs && a.objects === b.objects
}
