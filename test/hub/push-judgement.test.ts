/** Rules per ref, as git shows them to who pushes. What each rule says by itself is tested in push-rules.test.ts. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type RefRule, readRefRules, writeRefRules } from '../../src/database/ref-rules.ts'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { addRule, removeRule } from '../../src/hub/ref-rules.ts'
import { addPerson, gitUrl } from '../support/house.ts'
import { makeCommit, makeTree } from '../support/objects.ts'
import { pushObjects } from '../support/push-objects.ts'
import { openPushScene } from '../support/push-scene.ts'

async function openRuled(t: Test, ...rules: RefRule[]) {
  const scene = await openPushScene(t)
  const { hub, repo } = scene
  for (const rule of rules) await addRule(hub, await openRepo(hub, operator, repo, 'admin'), rule)
  return scene
}

t.test('group 34: fast-forward only, no deletion', async (t) => {
  const { commit, git, remoteRefs } = await openRuled(
    t,
    { pattern: 'refs/heads/main', fastForwardOnly: true, noDeletion: true },
    { pattern: 'refs/tags/*', fastForwardOnly: true },
  )
  await commit('one')
  const two = await commit('two')
  t.equal((await git('push', 'origin', 'main', 'main:refs/heads/free', 'main:refs/tags/v1')).status, 0)
  await git('reset', '-q', '--hard', 'HEAD~1')
  const other = await commit('other')
  const forced = await git('push', '--force', 'origin', 'main', 'main:free', 'main:refs/tags/v1')
  t.match(forced.stderr, 'remote: error: refs/heads/main may only move forward (rule for refs/heads/main)')
  t.match(forced.stderr, '[remote rejected] main -> main (non-fast-forward)')
  t.match(forced.stderr, '[remote rejected] main -> v1 (non-fast-forward)')
  t.match(await remoteRefs(), `${two}\trefs/heads/main`)
  t.match(await remoteRefs(), `${other}\trefs/heads/free`)

  const deletion = await git('push', 'origin', ':main', ':free', ':refs/tags/v1')
  t.match(deletion.stderr, '[remote rejected] main (deletion prohibited)')
  t.equal(await remoteRefs(), `${two}\tHEAD\n${two}\trefs/heads/main\n`)
  await git('reset', '-q', '--hard', two)
  const three = await commit('three')
  t.equal((await git('push', '--force', 'origin', 'main')).status, 0, 'forward, however it is asked for')
  t.match(await remoteRefs(), `${three}\trefs/heads/main`)
})

t.test('group 33: a rule fails all of an atomic push', async (t) => {
  const { commit, git, remoteRefs } = await openRuled(t, { pattern: 'refs/heads/closed', push: 'nobody' })
  await commit('one')
  const atomic = await git('push', '--atomic', 'origin', 'main', 'main:closed')
  t.match(atomic.stderr, '[remote rejected] main -> closed (protected branch hook declined)')
  t.match(atomic.stderr, '[remote rejected] main -> main (atomic push failure)')
  t.equal(await remoteRefs(), '')
  const single = await git('push', 'origin', 'main', 'main:closed')
  t.not(single.status, 0)
  t.match(await remoteRefs(), 'refs/heads/main')
})

t.test('a protected branch is for admins, not for all who may write', async (t) => {
  const { hub, repo, server, commit, git, remoteRefs } = await openRuled(t, {
    pattern: 'refs/heads/release/*',
    push: 'admin',
  })
  const bob = await addPerson(hub, 'bob')
  await setCollaborator(hub, repo, 'bob', 'write')
  const id = await commit('one')
  const url = gitUrl(server, bob, 'alice/model')
  const refused = await git('push', url, 'main', 'main:release/1')
  t.match(refused.stderr, 'remote: error: refs/heads/release/1 may be pushed to by admins only')
  t.match(refused.stderr, '[remote rejected] main -> release/1 (protected branch hook declined)')
  t.match(await remoteRefs(), `${id}\trefs/heads/main`)
  t.equal((await git('push', 'origin', 'main:release/1')).status, 0, 'the owner')
})

t.test('a rule that comes while a push is under way holds for it', async (t) => {
  const { hub, repo } = await openRuled(t)
  const tree = makeTree()
  const [first, second] = [makeCommit(tree, [], 1), makeCommit(tree, [], 2)]
  const stale = (await pushObjects(hub, repo, { 'refs/heads/main': [undefined, first.id] }, [tree, first])).repo
  await addRule(hub, stale, { pattern: 'refs/heads/main', fastForwardOnly: true })
  // The repository was opened before: its rules are those of then.
  t.same(stale.refRules, [])
  const refused = await pushObjects(hub, stale, { 'refs/heads/main': [first.id, second.id] }, [second])
  t.match(refused.report.results, [{ reason: 'non-fast-forward' }])
  t.match(refused.said, 'may only move forward')
  await removeRule(hub, refused.repo, 'refs/heads/main')
  const without = await openRepo(hub, operator, repo, 'write')
  const granted = await pushObjects(hub, without, { 'refs/heads/main': [first.id, second.id] }, [second])
  t.match(granted.report.results, [{ reason: undefined }])
})

t.test('rules are changed by one at a time', async (t) => {
  const { hub, repo } = await openRuled(t)
  const rule = { pattern: 'refs/heads/a', hidden: true }
  await addRule(hub, repo, rule)
  await t.rejects(addRule(hub, repo, rule), { code: 'Conflict' })
  t.same((await readRefRules(hub.database, repo.id))?.refRules, [rule])
  const many = Array.from({ length: 100 }, (_, index) => ({ pattern: `refs/heads/${index}`, hidden: true }))
  await writeRefRules(hub.database, repo.id, many, '1')
  const full = await openRepo(hub, operator, repo, 'admin')
  await t.rejects(addRule(hub, full, rule), { code: 'InputTooLarge' })
  await addRule(hub, full, { pattern: 'refs/heads/7', push: 'nobody' })
})

t.test('a forced move is told from a move forward in a merged history', async (t) => {
  const { commit, git, folder } = await openRuled(t, { pattern: 'refs/heads/*', fastForwardOnly: true })
  await commit('base')
  await git('push', '-q', 'origin', 'main')
  await git('checkout', '-q', '-b', 'side')
  await commit('side', { 'side.txt': 'side' })
  await git('checkout', '-q', 'main')
  await writeFile(join(folder, 'main.txt'), 'main')
  await git('add', '-A')
  // An old clock: dates do not say what comes after what.
  await git('-c', 'user.name=x', 'commit', '-q', '-m', 'old clock', '--date=2001-01-01T00:00:00Z')
  t.equal((await git('push', '-q', 'origin', 'side:main')).status, 0)
  t.not((await git('push', '-q', '--force', 'origin', 'main')).status, 0)
  await git('merge', '-q', '--no-edit', 'side')
  t.equal((await git('push', '-q', 'origin', 'main')).status, 0)
})
