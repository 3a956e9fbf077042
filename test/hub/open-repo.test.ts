import t from 'tap'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { createOrganization, setMember } from '../../src/hub/organizations.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import type { RepoName } from '../../src/hub/repo.ts'
import { createRepo } from '../../src/hub/repos.ts'
import { createHubOverDatabase, createPrincipal } from '../support/hub-over-database.ts'

const model = (namespace: string, name: string): RepoName => ({ type: 'model', namespace, name })

async function levelOf(hub: Hub, actor: Parameters<typeof openRepo>[1], name: RepoName): Promise<string> {
  let level = 'none'
  for (const demanded of ['read', 'write', 'admin'] as const) {
    const isOpen = await openRepo(hub, actor, name, demanded).then(
      () => true,
      () => false,
    )
    if (isOpen) level = demanded
  }
  return level
}

t.test('the greatest role counts: owner, member or collaborator', async (t) => {
  const hub = await createHubOverDatabase(t)
  const [ann, bob, cal, dan, eve] = await Promise.all(
    ['ann', 'bob', 'cal', 'dan', 'eve'].map((name) => createPrincipal(hub, name)),
  )
  const root = await createPrincipal(hub, 'the-admin', { isAdmin: true })
  await createOrganization(hub, 'acme', 'ann')
  await setMember(hub, 'acme', 'bob', 'read')
  await setMember(hub, 'acme', 'cal', 'write')
  const name = model('acme', 'm')
  const repo = await createRepo(hub, ann, name, 'private')
  await setCollaborator(hub, repo, 'bob', 'admin')
  await setCollaborator(hub, repo, 'cal', 'read')
  await setCollaborator(hub, repo, 'dan', 'read')
  t.equal(await levelOf(hub, ann, name), 'admin')
  t.equal(await levelOf(hub, bob, name), 'admin', 'the collaborator role is greater')
  t.equal(await levelOf(hub, cal, name), 'write', 'the member role is greater')
  t.equal(await levelOf(hub, dan, name), 'read')
  t.equal(await levelOf(hub, eve, name), 'none')
  t.equal(await levelOf(hub, root, name), 'admin')
  t.equal(await levelOf(hub, operator, name), 'admin')
  t.equal(await levelOf(hub, anonymous, name), 'none')
  await setCollaborator(hub, repo, 'dan', undefined)
  t.equal(await levelOf(hub, dan, name), 'none')
  const own = await createRepo(hub, eve, model('eve', 'm'), 'private')
  t.equal(await levelOf(hub, eve, own), 'admin')
  t.equal(await levelOf(hub, ann, own), 'none')
})

t.test('private and absent are told apart by nobody who may not read', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const bob = await createPrincipal(hub, 'bob')
  await createRepo(hub, ann, model('ann', 'secret'), 'private')
  for (const actor of [bob, anonymous]) {
    for (const demanded of ['read', 'write', 'admin'] as const) {
      const refusalOf = async (name: string) => {
        const { code, message, details } = await openRepo(hub, actor, model('ann', name), demanded).then(
          () => t.fail('opened'),
          (error) => error,
        )
        return { code, message: message.replace(name, 'NAME'), details }
      }
      const absent = await refusalOf('absent')
      t.same(await refusalOf('secret'), absent)
      t.match(absent, { code: 'RepoNotFound', details: { anonymous: actor.kind === 'anonymous' } })
    }
  }
})

t.test('who may read but not more is told what is needed', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  const bob = await createPrincipal(hub, 'bob')
  const name = model('ann', 'open')
  await createRepo(hub, ann, name, 'public')
  t.match(await openRepo(hub, anonymous, name, 'read'), { visibility: 'public' })
  await t.rejects(openRepo(hub, anonymous, name, 'write'), { code: 'CredentialsMissing', message: /write access/ })
  await t.rejects(openRepo(hub, bob, name, 'write'), { code: 'AccessDenied', message: /write access .* yours is read/ })
  const reading = { ...ann, role: 'read', tokenId: '1', tokenName: 'laptop' } as const
  await t.rejects(openRepo(hub, reading, name, 'write'), {
    code: 'AccessDenied',
    message: /token of the role write .* the token "laptop" is read/,
  })
})

t.test('names are matched in any case and answered as they are written; types are apart', async (t) => {
  const hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'Ann')
  await createRepo(hub, ann, model('ann', 'Big-Model'), 'public')
  t.match(await openRepo(hub, anonymous, model('ANN', 'big-model'), 'read'), {
    namespace: 'Ann',
    name: 'Big-Model',
    type: 'model',
    headTarget: 'refs/heads/main',
    refsVersion: '0',
    createdAt: Date,
  })
  await t.rejects(openRepo(hub, ann, { type: 'dataset', namespace: 'ann', name: 'big-model' }, 'read'), {
    code: 'RepoNotFound',
  })
})
