/** What a revision names. The spellings that clients send over HTTP are tested in test/http/api/resolve.test.ts. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { resolveRevision, resolveRevisionPath } from '../../src/hub/revisions.ts'
import { git, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'
import { type MadeObject, made, makeCommit, makeTag, makeTree } from '../support/objects.ts'
import { pushObjects, type Updates } from '../support/push-objects.ts'

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

const tree = makeTree()

/** Commits that differ in their date alone; `begin` is what their ids begin with. */
function* commitsFrom(second: number): Generator<MadeObject> {
  for (let seconds = second; ; seconds++) yield makeCommit(tree, [], seconds)
}

async function openScene(t: Test, refs: Record<string, MadeObject>, others: readonly MadeObject[] = []) {
  const hub = await openHouse(t)
  const empty = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const entries = Object.entries(refs).map(([name, { id }]): [string, Updates[string]] => [name, [undefined, id]])
  const objects = new Map([tree, ...Object.values(refs), ...others].map((object) => [object.id, object]))
  const { repo, report } = await pushObjects(hub, empty, Object.fromEntries(entries), [...objects.values()])
  t.same(
    report.results.filter(({ reason }) => reason !== undefined),
    [],
  )
  return {
    hub,
    repo,
    resolve: async (revision: string) => (await resolveRevision(hub, repo, revision)).commitId,
    split: async (path: string) => {
      const { commitId, path: rest, isPinned } = await resolveRevisionPath(hub, repo, path.split('/'))
      return { commitId, path: rest.join('/'), isPinned }
    },
  }
}

t.test('a branch comes before a tag, and both before an abbreviation', async (t) => {
  const [branch, tag, named] = commitsFrom(1)
  const prefix = branch.id.slice(0, 6)
  const { resolve, split } = await openScene(t, {
    'refs/heads/main': branch,
    'refs/heads/both': branch,
    'refs/tags/both': tag,
    [`refs/tags/${prefix}`]: named,
  })
  t.equal(await resolve('both'), branch.id)
  t.equal(await resolve('refs/tags/both'), tag.id)
  t.equal(await resolve(prefix), named.id)
  t.match(await split(`${branch.id}/a/b`), { commitId: branch.id, path: 'a/b', isPinned: true })
  t.match(await split('main/a'), { path: 'a', isPinned: false })
})

t.test('a branch of several segments is found by its whole name, the longest first', async (t) => {
  const [one, two] = commitsFrom(10)
  const { split } = await openScene(t, { 'refs/heads/feature/x/y': two, 'refs/tags/feature/x': one })
  t.match(await split('feature/x/y/config.json'), { commitId: two.id, path: 'config.json' })
  t.match(await split('feature/x/z'), { commitId: one.id, path: 'z' })
  await t.rejects(split('feature/config.json'), { code: 'RevisionNotFound', message: 'Invalid rev id: feature' })
})

t.test('an abbreviation names one commit: other objects do not count, a second commit does', async (t) => {
  const seen = new Map<string, MadeObject>()
  let pair: MadeObject[] = []
  for (const commit of commitsFrom(100)) {
    const other = seen.get(commit.id.slice(0, 4))
    if (other !== undefined) pair = [other, commit]
    if (pair.length > 0) break
    seen.set(commit.id.slice(0, 4), commit)
  }
  const prefix = pair[0].id.slice(0, 4)
  let blob = made('blob', '0')
  for (let number = 1; !blob.id.startsWith(prefix); number++) blob = made('blob', String(number))
  const root = makeTree({ blob })
  const holder = makeCommit(root, [pair[0]])
  const { resolve, repo, hub } = await openScene(t, { 'refs/heads/main': holder }, [root, blob, pair[0]])
  t.equal(await resolve(prefix), pair[0].id)
  await t.rejects(resolve(prefix.slice(0, 3)), { code: 'RevisionNotFound' })
  const both: Updates = { 'refs/heads/second': [undefined, pair[1].id] }
  const { repo: after } = await pushObjects(hub, repo, both, [pair[1]])
  await t.rejects(resolveRevision(hub, after, prefix), { code: 'RevisionNotFound', message: /ambiguous.*more digits/ })
  t.equal((await resolveRevision(hub, after, pair[1].id.slice(0, 12))).commitId, pair[1].id)
})

t.test('only commits are revisions; a tag stands for its commit', async (t) => {
  const [commit] = commitsFrom(1_000_000)
  const [inner, blob] = [makeTag(commit, 'inner'), made('blob', 'x')]
  const outer = makeTag(inner, 'outer')
  const refs = { 'refs/tags/outer': outer, 'refs/tags/blob': blob, 'refs/tags/tree': tree }
  const { resolve } = await openScene(t, refs, [commit, inner])
  t.equal(await resolve('outer'), commit.id)
  for (const revision of ['blob', 'tree', tree.id, outer.id, blob.id.slice(0, 10), 'HEAD', 'main', '']) {
    await t.rejects(resolve(revision), { code: 'RevisionNotFound' }, revision)
  }
})
