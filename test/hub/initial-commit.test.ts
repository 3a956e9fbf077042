import { hash } from 'node:crypto'
import t from 'tap'
import { HoldfastError } from '../../src/errors.ts'
import { formatCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import { createStartedRepo } from '../../src/hub/initial-commit.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import { openHouse } from '../support/house.ts'
import { createPrincipal } from '../support/hub-over-database.ts'

const name = { type: 'model', namespace: 'ada', name: 'model' } as const

t.test('a repository made by the API begins with a commit', async (t) => {
  const hub = await openHouse(t)
  await createStartedRepo(hub, await createPrincipal(hub, 'ada'), name, { visibility: 'public' })
  const { refs } = await hub.repositories.refs(await openRepo(hub, operator, name, 'read'))
  t.match(refs, [{ name: 'refs/heads/main' }])
})

t.test('a repository without its initial commit goes again', async (t) => {
  const hub = await openHouse(t)
  const ada = await createPrincipal(hub, 'ada')
  const receivePack = () => Promise.reject(new HoldfastError('StorageFull'))
  const broken = { ...hub, repositories: { ...hub.repositories, receivePack } }
  await t.rejects(createStartedRepo(broken, ada, name, { visibility: 'public' }), { code: 'StorageFull' })
  await t.rejects(openRepo(hub, operator, name, 'read'), { code: 'RepoNotFound' })
})

t.test('what somebody pushed before the initial commit is kept', async (t) => {
  const hub = await openHouse(t)
  const ada = await createPrincipal(hub, 'ada')
  const tree = { type: 'tree', data: Buffer.alloc(0) } as const
  const author = { name: 'Ada', email: 'ada@example.org', seconds: 1, timezone: '+0000' }
  const treeId = '4b825dc642cb6eb9a060e54bf8d69288fbee4904' as ObjectId
  const data = formatCommit({ treeId, parentIds: [], author, committer: author, message: 'x\n' })
  const commitId = hash('sha1', Buffer.concat([Buffer.from(`commit ${data.length}\0`), data])) as ObjectId
  // The other client reads 409 (it exists), and pushes while the first is still being served.
  const pushFirst = async () => {
    const report = await pushHost(hub, anonymous, await openRepo(hub, operator, name, 'write')).push({
      commands: [{ name: 'refs/heads/main', oldId: undefined, newId: commitId }],
      atomic: false,
      pushOptions: [],
      pack: (async function* () {
        yield formatFreshPack([{ type: 'commit', data }, tree])
      })(),
      progress: () => {},
      signal: new AbortController().signal,
    })
    t.same(report.results, [{ name: 'refs/heads/main', reason: undefined }])
  }
  const repositories: typeof hub.repositories = {
    ...hub.repositories,
    receivePack: async (...args) => {
      await pushFirst()
      return await hub.repositories.receivePack(...args)
    },
  }
  await t.resolves(createStartedRepo({ ...hub, repositories }, ada, name, { visibility: 'public' }))
  const { refs } = await hub.repositories.refs(await openRepo(hub, operator, name, 'read'))
  t.match(refs, [{ name: 'refs/heads/main', id: commitId }])
})

t.test('files that cannot be committed leave no repository, unless somebody has pushed to it', async (t) => {
  const hub = await openHouse(t)
  const ada = await createPrincipal(hub, 'ada')
  const files = [{ path: 'a.txt', content: Buffer.from('a') }]
  for (const isPushedTo of [false, true]) {
    let packs = 0
    const receivePack: typeof hub.repositories.receivePack = async (...args) => {
      if (++packs === 1) return await hub.repositories.receivePack(...args)
      if (isPushedTo) await hub.database.query('update repos set refs_version = refs_version + 1')
      throw new HoldfastError('StorageFull')
    }
    const broken = { ...hub, repositories: { ...hub.repositories, receivePack } }
    const making = createStartedRepo(broken, ada, name, { visibility: 'public', files })
    await t.rejects(making, { code: 'StorageFull' })
    const found = openRepo(hub, operator, name, 'read')
    if (isPushedTo) await t.resolves(found)
    else await t.rejects(found, { code: 'RepoNotFound' })
  }
})
