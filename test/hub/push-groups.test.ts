/** The groups of cases of a push that need a whole server, held against git's own receive-pack. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { collectGarbage } from '../../src/hub/gc.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { setDefaultBranch } from '../../src/hub/repos.ts'
import { run, tryGit } from '../support/git.ts'
import { made, makeCommit, makeTag, makeTree } from '../support/objects.ts'
import { pushObjects, type Updates } from '../support/push-objects.ts'
import { fates, openPushOracle } from '../support/push-oracle.ts'
import { openPushScene } from '../support/push-scene.ts'

t.test('group 31: what is created, moved and deleted', async (t) => {
  const { commit, push, refs, git } = await openPushOracle(t)
  const same = async (...args: string[]) => {
    const [hosted, oracle] = await push(...args)
    t.same(hosted, oracle, args.join(' '))
    const [ours, gits] = await refs()
    t.equal(ours, gits, `refs after ${args.join(' ')}`)
    return hosted
  }
  await commit('one')
  // HEAD follows the first branch here, and stays where it is with git.
  t.match(await same('main', 'main:other'), [/new branch/, /new branch/])
  t.match(await same('main:a/b', 'main:refs/notes/x'), [/new branch/, /new reference/])
  await git('tag', '-a', 'v1', '-m', 'first')
  await same('v1', 'main:refs/tags/light')
  await commit('two')
  t.match(await same('main', ':other', 'main:new'), [/^ \t/, /^\*\t/, /^-\t/])
  t.match(await same('main'), [/^=\t/], 'nothing to do')
  t.match(await same('main:empty-pack'), [/^\*\t/], 'a pack of no objects')
  t.match(await same(':main'), [/^!\t.*remote rejected\] \(deletion of the current branch prohibited\)/])
  t.match(await same('--delete', 'a/b', 'new'), [/^-\t/, /^-\t/], 'without a pack')
  await git('reset', '-q', '--hard', 'HEAD~1')
  await commit('other two')
  t.match(await same('main'), [/^!\t.*non-fast-forward/], 'the client knows')
  t.match(await same('--force', 'main'), [/^\+\t/])
  t.match(await same('--force', 'v1^{}:refs/tags/v1'), [/^\+\t/], 'a tag is clobbered')
})

t.test('group 31: deleting what is not there is granted, with a word', async (t) => {
  const { hub, repo } = await openPushScene(t)
  const { report, said } = await pushObjects(hub, repo, { 'refs/heads/gone': [undefined, undefined] })
  t.match(report.results, [{ name: 'refs/heads/gone', reason: undefined }])
  t.equal(said, 'warning: deleting a non-existent ref: refs/heads/gone\n')
})

t.test('group 33: whole or not at all, and who comes second', async (t) => {
  const { commit, push, refs } = await openPushOracle(t)
  const one = await commit('one')
  await push('main', 'main:a/b')
  await commit('two')
  for (const refused of ['main:a', 'main~1:refs/heads/a/b/c', 'main^{tree}:refs/heads/tree']) {
    const [hosted, oracle] = await push('--atomic', 'main', refused)
    t.same(fates(hosted), fates(oracle), refused)
    t.equal(hosted.filter((line) => line.startsWith('!')).length, 2)
  }
  t.match((await refs())[0], `${one}\trefs/heads/main`)
  const lease = await push(`--force-with-lease=main:${'1'.repeat(40)}`, 'main')
  t.same(...lease)
  t.match(lease[0], [/stale info/])
})

t.test('group 34: names in the way of names', async (t) => {
  const { commit, push, refs } = await openPushOracle(t)
  await commit('one')
  const same = async (...refspecs: string[]) => {
    const [hosted, oracle] = await push(...refspecs)
    t.same(fates(hosted), fates(oracle), refspecs.join(' '))
    const [ours, gits] = await refs()
    t.equal(ours, gits)
    return hosted
  }
  await same('main', 'main:a')
  t.match(await same('main:a/b'), [/^!.*'refs\/heads\/a' exists; cannot create 'refs\/heads\/a\/b'/])
  t.match(await same(':a'), [/^-/])
  t.match(await same('main:a/b/c', 'main:a/x'), [/^\*/, /^\*/])
  t.match(await same('main:a/b'), [/^!/])
  t.match(await same('main:refs/tags/a'), [/^\*/], 'another kind of ref')
  t.match(await same('main:CASE', 'main:case'), [/^\*/, /^\*/], 'names are bytes')
  t.match(await same('main^{tree}:refs/heads/tree', 'main^{tree}:refs/tags/tree'), [/^!/, /^\*/])
  // The current branch is what HEAD names: it moves with it.
  const id = await commit('two')
  await same('main')
  t.match((await refs())[0], `${id}\tHEAD\n`)
})

t.test('group 34: one push may clear the way for its own names', async (t) => {
  const { hub, repo } = await openPushScene(t)
  const tree = makeTree()
  const commit = makeCommit(tree)
  const first: Updates = { 'refs/heads/main': [undefined, commit.id], 'refs/heads/a': [undefined, commit.id] }
  const { repo: begun } = await pushObjects(hub, repo, first, [tree, commit])
  const { report } = await pushObjects(hub, begun, {
    'refs/heads/a/b': [undefined, commit.id],
    'refs/heads/a': [commit.id, undefined],
  })
  t.match(report.results, [{ reason: undefined }, { reason: undefined }])
  const twice = await pushObjects(hub, begun, {
    'refs/x/a': [undefined, commit.id],
    'refs/x/a/b': [undefined, commit.id],
  })
  t.match(twice.report.results, [{ reason: undefined }, { reason: /'refs\/x\/a' exists/ }])
})

t.test('group 38: everything that is named must be here', async (t) => {
  const { hub, repo } = await openPushScene(t)
  const blob = made('blob', 'content')
  const folder = makeTree({ 'a.txt': blob })
  const root = makeTree({ folder })
  const parent = makeCommit(root, [], 1)
  const commit = makeCommit(root, [parent], 2)
  const tag = makeTag(commit)
  const all = [blob, folder, root, parent, commit, tag]
  const updates: Updates = { 'refs/heads/main': [undefined, commit.id], 'refs/tags/v1': [undefined, tag.id] }
  for (const missing of all.slice(0, -2)) {
    const { report, said } = await pushObjects(
      hub,
      repo,
      updates,
      all.filter((object) => object !== missing),
    )
    t.match(report.results, [{ reason: 'missing necessary objects' }, { reason: 'missing necessary objects' }])
    t.ok(said.endsWith(`error: object ${missing.id} is missing\n`), missing.type)
  }
  const withoutTag = await pushObjects(hub, repo, updates, all.slice(0, -1))
  t.match(withoutTag.report.results, [{ reason: undefined }, { reason: 'missing necessary objects' }])

  const gitlink = made('tree', Buffer.concat([Buffer.from('160000 module\0'), Buffer.alloc(20, 7)]))
  const module = makeCommit(gitlink)
  const submodule = await pushObjects(hub, repo, { 'refs/heads/m': [undefined, module.id] }, [gitlink, module])
  t.match(submodule.report.results, [{ reason: undefined }], "a submodule's commit lies elsewhere")
})

t.test('group 39: a push that ends early leaves nothing', async (t) => {
  const limits = { gitPackMaxBytes: 200_000, inlinePackMaxBytes: 0, orphanBytesGraceSeconds: 0 }
  const { hub, commit, git, remoteRefs } = await openPushScene(t, { limits })
  const keys = async () => {
    const found: string[] = []
    for await (const { key } of hub.bucket.list('packs/')) found.push(key)
    return found
  }
  await commit('large', { 'noise.bin': randomBytes(400_000) })
  const refused = await git('push', 'origin', 'main')
  t.not(refused.status, 0)
  t.match(refused.stderr, /unpack failed: .*(larger|200000|200,000)/)
  t.match(refused.stderr, '[remote rejected] main -> main (unpacker error)')
  t.same(await keys(), [])
  t.equal(await remoteRefs(), '')

  await git('checkout', '-q', '--orphan', 'small')
  await git('rm', '-q', '-f', '--cached', '-r', '.')
  await commit('small', { 'noise.bin': randomBytes(50_000) })
  // The server dies when the bytes are in the bucket and the transaction is not done.
  await hub.database.query('alter function commit_push rename to lost')
  t.not((await git('push', 'origin', 'small')).status, 0)
  await hub.database.query('alter function lost rename to commit_push')
  t.equal(await remoteRefs(), '')
  t.ok((await keys()).length > 0, 'bytes without a row')
  await collectGarbage(hub, { isDryRun: false })
  t.same(await keys(), [])
  t.equal((await git('push', 'origin', 'small')).status, 0)
})

t.test('group 40: a sha256 repository is told why', async (t) => {
  const { remote, folder, server, alice, commit, git } = await openPushScene(t)
  const other = join(folder, '../sha256')
  await run('git', ['init', '-q', '--object-format=sha256', other])
  await tryGit(other, 'commit', '-q', '--allow-empty', '-m', 'one')
  // The client sees it for itself, and has no better words while there are no refs.
  t.match(await tryGit(other, 'push', remote, 'HEAD:refs/heads/main'), { status: 128 })
  await commit('one')
  await git('push', '-q', 'origin', 'main')
  t.not((await tryGit(other, 'push', remote, 'HEAD:refs/heads/other')).status, 0)
  const line = `${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/x\0report-status object-format=sha256`
  const answer = await fetch(new URL('/alice/model/git-receive-pack', server), {
    method: 'POST',
    headers: { ...alice.headers, 'content-type': 'application/x-git-receive-pack-request' },
    body: `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`,
  })
  t.match(await answer.text(), /^....ERR This server keeps sha1 repositories; sha256 was asked for\.$/)
})

t.test('group 41: the log has a line per ref with who moved it; HEAD is what the next listing shows', async (t) => {
  const { hub, repo, commit, git, remoteRefs } = await openPushScene(t)
  const one = await commit('one')
  await git('push', '-q', 'origin', 'main', 'main:trunk')
  const two = await commit('two')
  await git('push', '-q', 'origin', 'main')
  const lines = await hub.database.query(
    `select l.version, encode(l.name, 'escape') as name, encode(l.new_id, 'hex') as id, n.name as actor
       from ref_log l join namespaces n on n.id = l.actor_id order by l.version, l.name`,
  )
  t.same(lines, [
    { version: '1', name: 'refs/heads/main', id: one, actor: 'alice' },
    { version: '1', name: 'refs/heads/trunk', id: one, actor: 'alice' },
    { version: '2', name: 'refs/heads/main', id: two, actor: 'alice' },
  ])
  t.match(await remoteRefs(), `${two}\tHEAD\n`)
  await setDefaultBranch(hub, await openRepo(hub, operator, repo, 'admin'), 'trunk')
  t.match((await git('ls-remote', '--symref', 'origin', 'HEAD')).stdout, `ref: refs/heads/trunk\tHEAD\n${one}\tHEAD\n`)
  t.equal((await git('push', 'origin', ':main')).status, 0, 'no longer the current branch')
})
