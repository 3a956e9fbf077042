import t from 'tap'
import { createUser, getUser, setPassword, setUserDisabled } from '../../src/hub/accounts.ts'
import { newToken } from '../../src/hub/credentials.ts'
import { createHubOverDatabase } from '../support/hub-over-database.ts'

t.test('a user is made with what was given, and found in any case', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'Ann', email: 'ann@example.org', isAdmin: true })
  t.match(await getUser(hub, 'aNN'), { name: 'Ann', email: 'ann@example.org', isAdmin: true, disabledAt: null })
  await createUser(hub, { name: 'bob' })
  t.match(await getUser(hub, 'bob'), { name: 'bob', email: null, isAdmin: false })
})

t.test('a name is given once, whatever its case and however many ask', async (t) => {
  const hub = await createHubOverDatabase(t)
  const outcomes = await Promise.allSettled(['Ann', 'ann', 'ANN', 'aNn'].map((name) => createUser(hub, { name })))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  await t.rejects(createUser(hub, { name: 'ann' }), { code: 'NameTaken', message: /"ann" is taken/ })
})

t.test('what cannot be is refused with a sentence', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  await t.rejects(createUser(hub, { name: 'api' }), { code: 'NameReserved' })
  await t.rejects(createUser(hub, { name: 'a b' }), { code: 'InputInvalid' })
  await t.rejects(createUser(hub, { name: 'eve', email: 'nowhere' }), { code: 'InputInvalid' })
  await t.rejects(createUser(hub, { name: 'eve', password: 'short' }), { code: 'InputInvalid', message: /8 to 256/ })
  await t.rejects(setPassword(hub, 'ann', 'x'.repeat(257)), { code: 'InputInvalid' })
  await t.rejects(setPassword(hub, 'ann', newToken()), { code: 'InputInvalid', message: /look like a token/ })
  await t.rejects(setPassword(hub, 'eve', 'long enough'), { code: 'AccountNotFound' })
})

t.test('disabling twice keeps the first time, enabling forgets it', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  await setUserDisabled(hub, 'ann', true)
  const { disabledAt } = await getUser(hub, 'ann')
  t.type(disabledAt, Date)
  await setUserDisabled(hub, 'ann', true)
  t.same((await getUser(hub, 'ann')).disabledAt, disabledAt)
  await setUserDisabled(hub, 'ann', false)
  t.equal((await getUser(hub, 'ann')).disabledAt, null)
})
