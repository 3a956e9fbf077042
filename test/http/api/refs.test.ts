import t, { type Test } from 'tap'
import { file, header, openCommitScene } from '../../support/commit-scene.ts'
import { git } from '../../support/git.ts'
import { addPerson, addRepo } from '../../support/house.ts'

async function openScene(t: Test) {
  const scene = await openCommitScene(t)
  const { call, ada, api } = scene
  const send = (method: string, path: string, body?: object, who = ada) =>
    call(who, method, `${api}/${path}`, body === undefined ? undefined : JSON.stringify(body))
  const names = async () => {
    const { body } = await call(undefined, 'GET', `${api}/refs`)
    return (['branches', 'tags'] as const).map((kind) => (body[kind] as { name: string }[]).map(({ name }) => name))
  }
  return { ...scene, send, names }
}

t.test('branches are made, listed and deleted', async (t) => {
  const { commit, send, names, head, call, api } = await openScene(t)
  const first = await head()
  const { commitOid } = (await commit([header(), file('a')])).body
  t.equal((await send('POST', 'branch/one', {})).status, 200)
  t.equal((await send('POST', 'branch/feature%2Ftwo', { startingPoint: first })).status, 200)
  t.equal((await send('POST', 'branch/feature/three', { startingPoint: 'feature/two' })).status, 200)
  t.same(await names(), [['feature/three', 'feature/two', 'main', 'one'], []])
  t.equal(await head('one'), commitOid)
  t.equal(await head('feature/three'), first)
  const { body } = await call(undefined, 'GET', `${api}/refs`)
  t.same((body.branches as object[])[2], { name: 'main', ref: 'refs/heads/main', targetCommit: commitOid })
  t.same([body.converts, body.pullRequests], [[], undefined])
  t.same((await call(undefined, 'GET', `${api}/refs?include_prs=1`)).body.pullRequests, [])

  t.match(await send('POST', 'branch/one', {}), {
    status: 409,
    body: { error: 'Reference refs/heads/one already exists' },
  })
  t.equal((await send('POST', 'branch/one', { startingPoint: first, overwrite: true })).status, 200)
  t.equal(await head('one'), first)
  t.equal((await commit([header(), file('b')], { revision: 'feature/two' })).status, 200)
  t.not(await head('feature/two'), first)

  t.equal((await send('DELETE', 'branch/one')).status, 200)
  t.equal((await send('DELETE', 'branch/feature%2Ftwo')).status, 200)
  t.match(await send('DELETE', 'branch/one'), { status: 404, body: { error: /Invalid rev id/ } })
  t.match(await send('DELETE', 'branch/main'), { status: 403, body: { error: /Cannot delete refs\/heads\/main/ } })
  t.same(await names(), [['feature/three', 'main'], []])
})

t.test('an empty branch has no files and no history', async (t) => {
  const { send, commit, clone } = await openScene(t)
  t.equal((await send('POST', 'branch/empty', { emptyBranch: true })).status, 200)
  t.equal((await commit([header(), file('a')], { revision: 'empty' })).status, 200)
  const folder = await clone()
  t.equal(await git(folder, 'ls-tree', '--name-only', 'origin/empty'), 'a')
  t.equal(await git(folder, 'rev-list', '--count', 'origin/empty'), '2')
  t.equal(await git(folder, 'fsck', '--strict'), '')
})

t.test('what cannot be a branch', async (t) => {
  const { send, names, head } = await openScene(t)
  for (const name of ['a..b', 'refs/pr/1', 'a%20b', '.a', 'a.lock', 'main/x', `${'x'.repeat(1100)}`]) {
    t.match(await send('POST', `branch/${name}`, {}), { status: 400 }, name)
  }
  const absent = await send('POST', 'branch/x', { startingPoint: 'absent' })
  t.equal(absent.status, 404)
  t.equal(absent.headers.get('x-error-code'), 'RevisionNotFound')
  const tree = await send('POST', 'branch/x', { startingPoint: `${await head()}^{tree}` })
  t.equal(tree.status, 404)
  t.same(await names(), [['main'], []])
})

t.test('tags are made, listed and deleted', async (t) => {
  const { send, names, head, clone, call, api } = await openScene(t)
  const first = await head()
  t.equal((await send('POST', 'tag/main', { tag: 'v1' })).status, 200)
  t.equal((await send('POST', `tag/${first}`, { tag: 'v/2', message: 'A rélease\n\nMore' })).status, 200)
  t.equal((await send('POST', 'tag/main', { tag: 'main', message: null })).status, 200)
  t.same(await names(), [['main'], ['main', 'v/2', 'v1']])
  const { body } = await call(undefined, 'GET', `${api}/refs`)
  t.equal((body.tags as { targetCommit: string }[])[1].targetCommit, first)
  const folder = await clone()
  t.equal(await git(folder, 'cat-file', '-t', 'refs/tags/v1'), 'commit')
  t.match(
    await git(folder, 'cat-file', 'tag', 'refs/tags/v/2'),
    /^object .*\ntype commit\ntag v\/2\ntagger ada <.*\n\nA rélease\n\nMore$/s,
  )
  t.equal(await git(folder, 'fsck', '--strict'), '')

  t.equal((await send('POST', 'tag/main', { tag: 'v1' })).status, 409)
  t.equal((await send('POST', 'tag/main', { tag: 'v/2', message: 'again' })).status, 409)
  t.equal((await send('POST', 'tag/absent', { tag: 'a..b' })).headers.get('x-error-code'), 'RevisionNotFound')
  for (const tag of ['a..b', 'a b', 'refs/tags/x', 'v', 'v1/x']) {
    t.equal((await send('POST', 'tag/main', { tag })).status, 400, tag)
  }
  t.equal((await send('POST', 'tag/main', { tag: 'x', message: 'a\0b' })).status, 400)
  t.equal((await send('DELETE', 'tag/v%2F2')).status, 200)
  t.equal((await send('DELETE', 'tag/v1')).status, 200)
  t.equal((await send('DELETE', 'tag/v1')).headers.get('x-error-code'), 'RevisionNotFound')
  t.same(await names(), [['main'], ['main']])
})

t.test('who may, and what rules forbid', async (t) => {
  const { hub, ada, send, names, call } = await openScene(t)
  const eve = await addPerson(hub, 'eve')
  t.equal((await send('POST', 'branch/x', {}, eve)).status, 403)
  t.equal((await send('POST', 'tag/main', { tag: 'x' }, eve)).status, 403)
  t.equal((await send('DELETE', 'branch/main', undefined, eve)).status, 403)
  const [repo] = await hub.database.query<{ id: never }>('select id from repos')
  const rules = [{ pattern: 'refs/heads/release/*', push: 'nobody' }]
  await hub.database.query('update repos set ref_rules = $1, ref_rules_version = 1 where id = $2', [
    JSON.stringify(rules),
    repo.id,
  ])
  t.match(await send('POST', 'branch/release/1', {}), { status: 403, body: { error: /may be pushed to by nobody/ } })
  t.same(await names(), [['main'], []])
  await addRepo(hub, ada, 'empty')
  t.match((await call(ada, 'GET', '/api/models/ada/empty/refs')).body, { branches: [], converts: [], tags: [] })
})
