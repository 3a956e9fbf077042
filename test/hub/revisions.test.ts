import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { resolveRevision, resolveRevisionPath } from '../../src/hub/revisions.ts'
import { git, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'

t.test('revisions of a repository with hidden objects', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const url = gitUrl(await listen(t, hub), ada, 'ada/model')
  const work = temporaryFolder(t)
  await git(work, 'init', '-q', '-b', 'main')
  await writeFile(join(work, 'a.txt'), 'one')
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'One')
  await git(work, 'push', '-q', url, 'main')
  await git(work, 'commit', '--allow-empty', '-qm', 'Hidden')
  await git(work, 'push', '-q', url, 'main:hidden')
  const hidden = await git(work, 'rev-parse', 'HEAD')
  await git(work, 'reset', '-q', '--hard', 'HEAD~1')
  // As if no ref had ever led there.
  await hub.database.query(`delete from refs where name = 'refs/heads/hidden'`)
  await hub.database.query(`delete from ref_log where name = 'refs/heads/hidden'`)
  await hub.database.query('update repos set refs_version = refs_version + 1')
  const commit = await git(work, 'rev-parse', 'HEAD')
  const tree = await git(work, 'rev-parse', 'HEAD^{tree}')
  const repo = await openRepo(hub, operator, { type: 'model', namespace: 'ada', name: 'model' }, 'read')

  t.test('a commit by its abbreviation, and no tree', async (t) => {
    t.match(await resolveRevision(hub, repo, commit.slice(0, 8)), { commitId: commit, isPinned: false })
    await t.rejects(resolveRevision(hub, repo, tree.slice(0, 8)), { code: 'RevisionNotFound' })
    await t.rejects(resolveRevision(hub, repo, tree), { code: 'RevisionNotFound' })
  })

  t.test('a commit that no ref led to is not found', async (t) => {
    await t.rejects(resolveRevision(hub, repo, hidden.slice(0, 8)), { code: 'RevisionNotFound' })
    await t.rejects(resolveRevision(hub, repo, hidden), { code: 'RevisionNotFound' })
  })

  t.test('a path of thousands of segments is answered at once', async (t) => {
    const segments = Array.from({ length: 8_000 }, () => 'f')
    await t.rejects(resolveRevisionPath(hub, repo, segments), { code: 'RevisionNotFound' })
    const before = process.cpuUsage()
    await resolveRevisionPath(hub, repo, segments).catch(() => {})
    t.ok(process.cpuUsage(before).user < 50_000)
  })
})
