import t from 'tap'
import { file, header, openCommitScene } from '../../support/commit-scene.ts'
import { git } from '../../support/git.ts'
import { addPerson } from '../../support/house.ts'

t.test('a branch becomes one commit with the same files', async (t) => {
  const { hub, ada, commit, clone, call, api, head } = await openCommitScene(t)
  await commit([header(), file('a'), file('b/c')])
  const before = await clone()
  const squash = (branch: string, body: object = {}, who = ada) =>
    call(who, 'POST', `${api}/super-squash/${branch}`, JSON.stringify(body))
  const answer = await squash('main', { message: 'Squashed' })
  t.equal(answer.status, 200)
  t.equal(await head(), answer.body.commitOid)
  const after = await clone()
  t.equal(await git(after, 'log', '--format=%s'), 'Squashed')
  t.equal(await git(after, 'rev-parse', 'HEAD^{tree}'), await git(before, 'rev-parse', 'HEAD^{tree}'))
  t.equal(await git(after, 'fsck', '--strict'), '')
  // What was there is still readable for who knows its id.
  t.equal((await call(ada, 'GET', `${api}/revision/${await git(before, 'rev-parse', 'HEAD')}`)).status, 200)

  await call(ada, 'POST', `${api}/tag/main`, JSON.stringify({ tag: 'v1' }))
  t.match(await squash('v1'), { status: 400, body: { error: 'Invalid reference for a branch: refs/tags/v1' } })
  t.match(await squash('absent'), { status: 404 })
  for (const [message, status] of [
    ['a\0b', 400],
    ['\ud800', 400],
    ['x'.repeat(70_000), 413],
  ] as const) {
    t.equal((await squash('main', { message })).status, status)
  }
  t.equal((await squash('main', {}, await addPerson(hub, 'eve'))).status, 403)
  t.equal((await squash('main')).status, 200)
  t.equal(await git(await clone(), 'log', '--format=%s'), "Super-squash branch 'main'")
})
