import t from 'tap'
import { packKey } from '../../src/bucket/keys.ts'
import { listCollaboratorsOf, setCollaborator } from '../../src/hub/collaborators.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { createOrganization, setMember } from '../../src/hub/organizations.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import type { RepoName } from '../../src/hub/repo.ts'
import {
  createRepo,
  deleteRepo,
  listVisibleRepos,
  moveRepo,
  setDefaultBranch,
  setVisibility,
} from '../../src/hub/repos.ts'
import { createHubOverDatabase, createPrincipal } from '../support/hub-over-database.ts'

const model = (namespace: string, name: string): RepoName => ({ type: 'model', namespace, name })

t.test('who may create where', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const [bob, cal, eve] = await Promise.all(['bob', 'cal', 'eve'].map((name) => createPrincipal(hub, name)))
  const root = await createPrincipal(hub, 'the-admin', { isAdmin: true })
  await createOrganization(hub, 'acme', 'ann')
  await setMember(hub, 'acme', 'bob', 'write')
  await setMember(hub, 'acme', 'cal', 'read')
  let count = 0
  const tryIn = (actor: Parameters<typeof createRepo>[1], namespace: string) =>
    createRepo(hub, actor, model(namespace, `m${count++}`), 'private')
  for (const actor of [ann, bob, root, operator]) t.match(await tryIn(actor, 'acme'), { namespace: 'acme' })
  for (const actor of [cal, eve]) await t.rejects(tryIn(actor, 'acme'), { code: 'AccessDenied', message: /in acme/ })
  t.match(await tryIn(eve, 'EVE'), { namespace: 'eve' })
  await t.rejects(tryIn(eve, 'ann'), { code: 'AccessDenied' })
  await t.rejects(tryIn(anonymous, 'ann'), { code: 'CredentialsMissing' })
  await t.rejects(tryIn(operator, 'nobody'), { code: 'AccountNotFound' })
  const reading = { ...ann, role: 'read', tokenName: 'laptop' } as const
  await t.rejects(tryIn(reading, 'ann'), { code: 'AccessDenied', message: /token of the role write/ })
  await t.rejects(tryIn({ ...root, role: 'read', tokenName: 'x' }, 'ann'), { code: 'AccessDenied' })
  t.match(await tryIn({ ...ann, role: 'write' }, 'ann'), { namespace: 'ann' })
})

t.test('a name is given once per type; the answer says where the repository is', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'Ann')
  const dataset = { type: 'dataset', namespace: 'ann', name: 'Thing' } as const
  await createRepo(hub, ann, model('ann', 'thing'), 'public')
  await createRepo(hub, ann, dataset, 'public')
  await t.rejects(createRepo(hub, ann, { ...dataset, name: 'THING' }, 'public'), {
    code: 'NameTaken',
    message: 'A dataset repository called Ann/THING already exists.',
    details: { url: 'http://hub.example/datasets/Ann/THING' },
  })
  await t.rejects(createRepo(hub, ann, model('ann', 'x.git'), 'public'), { code: 'InputInvalid' })
})

t.test('lists show what the asker may read, newest first, in pages', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const bob = await createPrincipal(hub, 'bob')
  const root = await createPrincipal(hub, 'the-admin', { isAdmin: true })
  await createRepo(hub, ann, model('ann', 'open'), 'public')
  const secret = await createRepo(hub, ann, model('ann', 'secret'), 'private')
  await createRepo(hub, bob, { type: 'dataset', namespace: 'bob', name: 'Open-data' }, 'public')
  const namesFor = async (actor: Parameters<typeof listVisibleRepos>[1], options = {}) => {
    const { repos } = await listVisibleRepos(hub, actor, options)
    return repos.map(({ name }) => name)
  }
  t.same(await namesFor(anonymous), ['Open-data', 'open'])
  t.same(await namesFor(bob), ['Open-data', 'open'])
  t.same(await namesFor(ann), ['Open-data', 'secret', 'open'])
  t.same(await namesFor(root), ['Open-data', 'secret', 'open'])
  t.same(await namesFor(operator), ['Open-data', 'secret', 'open'])
  await setCollaborator(hub, secret, 'bob', 'read')
  t.same(await namesFor(bob, { type: 'model' }), ['secret', 'open'])
  t.same(await namesFor(ann, { namespace: 'BOB' }), ['Open-data'])
  t.same(await namesFor(ann, { search: 'N/O' }), ['open'])
  t.same(await namesFor(ann, { search: '%' }), [])

  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await listVisibleRepos(hub, ann, { pageSize: 2, after })
    seen.push(...page.repos.map(({ name }) => name))
    after = page.next
  } while (after !== undefined)
  t.same(seen, ['Open-data', 'secret', 'open'])
  t.equal((await listVisibleRepos(hub, ann, { pageSize: 3 })).next, undefined, 'no empty page follows a full one')
  await t.rejects(listVisibleRepos(hub, ann, { after: 'x' }), { code: 'InputInvalid' })
})

t.test('visibility and collaborators change who may read, at once', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  await createPrincipal(hub, 'bob')
  const repo = await createRepo(hub, ann, model('ann', 'm'), 'public')
  await setVisibility(hub, repo, 'private')
  await t.rejects(openRepo(hub, anonymous, repo, 'read'), { code: 'RepoNotFound' })
  await setVisibility(hub, repo, 'public')
  await openRepo(hub, anonymous, repo, 'read')
  await setCollaborator(hub, repo, 'bob', 'read')
  await setCollaborator(hub, repo, 'BOB', 'write')
  t.match(await listCollaboratorsOf(hub, repo), [{ name: 'bob', role: 'write' }])
  await t.rejects(setCollaborator(hub, repo, 'eve', 'read'), { code: 'AccountNotFound' })
})

t.test('a move changes namespace and name, where the actor may create', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  await createPrincipal(hub, 'bob')
  const repo = await createRepo(hub, ann, model('ann', 'm'), 'public')
  await createRepo(hub, ann, model('ann', 'taken'), 'public')
  await t.rejects(moveRepo(hub, ann, repo, { namespace: 'bob', name: 'm' }), { code: 'AccessDenied' })
  await t.rejects(moveRepo(hub, ann, repo, { namespace: 'ann', name: 'TAKEN' }), { code: 'NameTaken' })
  t.same(await moveRepo(hub, operator, repo, { namespace: 'BOB', name: 'M2' }), model('bob', 'M2'))
  t.match(await openRepo(hub, anonymous, model('bob', 'm2'), 'read'), { id: repo.id })
  await t.rejects(openRepo(hub, ann, model('ann', 'm'), 'read'), { code: 'RepoNotFound' })
})

t.test('HEAD goes to a branch that exists, or to any while there is none', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const repo = await createRepo(hub, ann, model('ann', 'm'), 'public')
  await setDefaultBranch(hub, repo, 'trunk')
  t.match(await openRepo(hub, ann, repo, 'read'), { headTarget: 'refs/heads/trunk', refsVersion: '1' })
  const insert = `insert into refs (repo_id, name, object_id) values ($1, $2, $3)`
  await hub.database.query(insert, [repo.id, Buffer.from('refs/heads/d\xe9v', 'latin1'), Buffer.alloc(20, 1)])
  await setDefaultBranch(hub, repo, 'd\xe9v')
  t.match(await openRepo(hub, ann, repo, 'read'), { headTarget: 'refs/heads/d\xe9v', refsVersion: '2' })
  await t.rejects(setDefaultBranch(hub, repo, 'trunk'), { code: 'RevisionNotFound', message: /no branch "trunk"/ })
  await t.rejects(setDefaultBranch(hub, repo, 'a..b'), { code: 'InputInvalid' })
})

t.test('a deleted repository is gone at once; its packs are doomed, its LFS objects stay', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const { database } = hub
  const repo = await createRepo(hub, ann, model('ann', 'm'), 'private')
  const packId = '00000000-0000-4000-8000-000000000001'
  await database.query(
    `insert into packs (id, repo_id, is_thin, checksum, object_count, pack_bytes, index_bytes)
     values ($1, $2, false, $3, 1, 1, 1)`,
    [packId, repo.id, Buffer.alloc(20)],
  )
  await database.query(`insert into lfs_objects (oid, size_bytes, key) values ($1, 1, 'lfs/x')`, [Buffer.alloc(32)])
  await database.query('insert into lfs_grants (repo_id, oid) values ($1, $2)', [repo.id, Buffer.alloc(32)])
  await deleteRepo(hub, repo)
  await deleteRepo(hub, repo)
  await t.rejects(openRepo(hub, ann, repo, 'read'), { code: 'RepoNotFound' })
  const doomed = await database.query<{ key: string; grace: number }>(
    `select key, extract(epoch from delete_after - now())::int as grace from doomed_bytes order by key`,
  )
  t.same(doomed.map(({ key }) => key).sort(), [packKey(repo.id, packId, 'idx'), packKey(repo.id, packId, 'pack')])
  t.ok(doomed.every(({ grace }) => Math.abs(grace - hub.config.limits.doomedBytesGraceSeconds) < 60))
  t.equal((await database.query('select from lfs_objects')).length, 1)
  t.equal((await database.query('select from lfs_grants')).length, 0)
  t.match(await createRepo(hub, ann, model('ann', 'm'), 'private'), { name: 'm' }, 'the name is free again')
})
