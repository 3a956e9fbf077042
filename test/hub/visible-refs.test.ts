/** Refs that a rule hides from who may only read: by every way in which something is read. */
import t, { type Test } from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import { findInvisibleIds } from '../../src/hub/commit-visibility.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import { addRule } from '../../src/hub/ref-rules.ts'
import { resolveRevision } from '../../src/hub/revisions.ts'
import { filterRefs, visibilityClassOf, visibleRefs } from '../../src/hub/visible-refs.ts'
import { temporaryFolder, tryGit } from '../support/git.ts'
import { addPerson, gitUrl } from '../support/house.ts'
import { openPushScene } from '../support/push-scene.ts'

/** `main` is public; `refs/internal/plan` leads to a commit on top of it, and once led to another. */
async function openHidden(t: Test) {
  const scene = await openPushScene(t)
  const { hub, repo, git, commit, server } = scene
  const shown = await commit('shown')
  await git('push', '-q', 'origin', 'main')
  const former = await commit('former plan', { 'plan.txt': 'first' })
  await git('push', '-q', 'origin', 'main:refs/internal/plan')
  const secret = await commit('plan', { 'plan.txt': 'second' })
  await git('reset', '-q', '--hard', shown)
  await git('push', '-q', '--force', 'origin', `${secret}:refs/internal/plan`)
  await addRule(hub, await openRepo(hub, operator, repo, 'admin'), { pattern: 'refs/internal/*', hidden: true })
  const urlOf = async (name: string, role: 'read' | 'write') => {
    const person = await addPerson(hub, name)
    await setCollaborator(hub, repo, name, role)
    return gitUrl(server, person, 'alice/model')
  }
  const owner = await openRepo(hub, operator, repo, 'admin')
  return { ...scene, shown, former, secret, urlOf, owner, reader: { ...owner, access: 'read' as const } }
}

t.test('group 16: a hidden ref is neither listed nor fetched by who may only read', async (t) => {
  const { git, remoteRefs, urlOf, secret, former, shown } = await openHidden(t)
  const url = await urlOf('bob', 'read')
  const empty = temporaryFolder(t)
  await tryGit(empty, 'init', '-q')
  t.match(await remoteRefs(), `${secret}\trefs/internal/plan`, 'who may write sees it')
  for (const version of ['0', '1', '2']) {
    const listed = await git('-c', `protocol.version=${version}`, 'ls-remote', url)
    t.equal(listed.stdout, `${shown}\tHEAD\n${shown}\trefs/heads/main\n`, `version ${version}`)
    for (const id of [secret, former, 'refs/internal/plan']) {
      const fetched = await tryGit(empty, '-c', `protocol.version=${version}`, 'fetch', url, id)
      t.not(fetched.status, 0)
      t.match(fetched.stderr, /not our ref|couldn't find remote ref/)
    }
  }
  t.equal((await tryGit(empty, 'fetch', '-q', await urlOf('carol', 'write'), secret, former)).status, 0)
})

t.test('and not by its id, its past or its abbreviation', async (t) => {
  const { hub, reader, owner, secret, former, shown } = await openHidden(t)
  for (const revision of [secret, former, secret.slice(0, 10), 'refs/internal/plan']) {
    await t.rejects(resolveRevision(hub, reader, revision), { code: 'RevisionNotFound' }, revision)
    t.match(await resolveRevision(hub, owner, revision), { commitId: revision === former ? former : secret })
    // What the owner has just been told is remembered for owners.
    await t.rejects(resolveRevision(hub, reader, revision), { code: 'RevisionNotFound' })
  }
  t.match(await resolveRevision(hub, reader, shown), { commitId: shown })
  await hub.repositories.withObjects(reader, async (objects) => {
    const refs = (await visibleRefs(hub, reader)).snapshot
    const ids = [secret, former, shown] as ObjectId[]
    t.same(await findInvisibleIds(hub, reader, { objects, refs, ids }), [secret, former])
  })
})

t.test('a class is what is seen, and those of a class share what they see', async (t) => {
  const { hub, reader, owner } = await openHidden(t)
  t.equal(visibilityClassOf(owner), '')
  t.equal(visibilityClassOf(reader), 'refs/internal/*')
  const [seen, same, all] = await Promise.all([reader, { ...reader }, owner].map((each) => visibleRefs(hub, each)))
  t.equal(seen.snapshot, same.snapshot)
  t.equal(all.snapshot.refs.length, 2)
  t.equal(filterRefs(all.snapshot, ''), all.snapshot)
  const hiddenHead = filterRefs(all.snapshot, 'refs/heads/main')
  t.match(hiddenHead, { headTarget: undefined, headId: undefined, refs: [{ name: 'refs/internal/plan' }] })
})

t.test('who pushes sees everything, and may build on it', async (t) => {
  const { urlOf, git, secret, commit } = await openHidden(t)
  const url = await urlOf('carol', 'write')
  await git('checkout', '-q', secret)
  const built = await commit('built on it', { 'more.txt': 'more' })
  t.match((await git('ls-remote', url)).stdout, 'refs/internal/plan')
  t.equal((await git('push', '-q', url, `${built}:refs/internal/plan`)).status, 0)
})

t.test('a hidden ref is moved by nobody who does not see it', async (t) => {
  const { hub, reader, secret } = await openHidden(t)
  // No door lets them push; the rule does not rest on that.
  const report = await pushHost(hub, anonymous, reader).push({
    commands: [{ name: 'refs/internal/plan', oldId: secret as ObjectId, newId: undefined }],
    atomic: false,
    pushOptions: [],
    pack: undefined,
    progress: () => {},
    signal: new AbortController().signal,
  })
  t.match(report.results, [{ reason: 'deny deleting a hidden ref' }])
})
