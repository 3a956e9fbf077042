import t from 'tap'
import { createUser, getUser } from '../../src/hub/accounts.ts'
import { createOrganization, listMembersOf, listOrganizationsOf, setMember } from '../../src/hub/organizations.ts'
import { createHubOverDatabase } from '../support/hub-over-database.ts'

async function hubWithUsers(t: Parameters<typeof createHubOverDatabase>[0]) {
  const hub = await createHubOverDatabase(t)
  for (const name of ['ann', 'bob', 'cal']) await createUser(hub, { name })
  return hub
}

t.test('members are added, changed and removed', async (t) => {
  const hub = await hubWithUsers(t)
  await createOrganization(hub, 'Acme', 'ann')
  t.equal(await setMember(hub, 'acme', 'bob', 'read'), 'Acme')
  await setMember(hub, 'acme', 'cal', 'write')
  await setMember(hub, 'acme', 'bob', 'write')
  t.match(await listMembersOf(hub, 'acme'), [
    { name: 'ann', role: 'admin' },
    { name: 'bob', role: 'write' },
    { name: 'cal', role: 'write' },
  ])
  await setMember(hub, 'acme', 'cal', undefined)
  t.equal((await listMembersOf(hub, 'acme')).length, 2)
  t.match(await listOrganizationsOf(hub, (await getUser(hub, 'bob')).userId), [{ name: 'Acme', role: 'write' }])
  t.same(await listOrganizationsOf(hub, (await getUser(hub, 'cal')).userId), [])
})

t.test('the last admin stays, also when two leave at once', async (t) => {
  const hub = await hubWithUsers(t)
  await createOrganization(hub, 'acme', 'ann')
  await t.rejects(setMember(hub, 'acme', 'ann', 'write'), { code: 'Conflict', message: /ann is the only admin/ })
  await t.rejects(setMember(hub, 'acme', 'ann', undefined), { code: 'Conflict' })
  await setMember(hub, 'acme', 'bob', 'admin')
  const outcomes = await Promise.allSettled(['ann', 'bob'].map((name) => setMember(hub, 'acme', name, undefined)))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  t.equal((await listMembersOf(hub, 'acme')).length, 1)
})

t.test('organizations and users share one space of names', async (t) => {
  const hub = await hubWithUsers(t)
  await createOrganization(hub, 'acme', 'ann')
  await t.rejects(createOrganization(hub, 'ACME', 'ann'), { code: 'NameTaken' })
  await t.rejects(createOrganization(hub, 'Bob', 'ann'), { code: 'NameTaken' })
  await t.rejects(createUser(hub, { name: 'Acme' }), { code: 'NameTaken' })
  await t.rejects(createOrganization(hub, 'models', 'ann'), { code: 'NameReserved' })
  await t.rejects(createOrganization(hub, 'other', 'acme'), { code: 'AccountNotFound' }, 'an organization owns none')
  await t.rejects(setMember(hub, 'ann', 'bob', 'read'), { code: 'AccountNotFound' }, 'a user has no members')
  await t.rejects(setMember(hub, 'acme', 'eve', 'read'), { code: 'AccountNotFound' })
})
