import t from 'tap'
import { createUser } from '../../src/hub/accounts.ts'
import { createToken, listTokensOf, revokeTokenOf } from '../../src/hub/tokens.ts'
import { createHubOverDatabase } from '../support/hub-over-database.ts'

t.test('a token is listed without its secret and revoked by its id', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  await createUser(hub, { name: 'bob' })
  const expiresAt = new Date(Date.now() + 86_400_000)
  const token = await createToken(hub, { userName: 'ann', role: 'write', name: 'ci', expiresAt })
  const [listed] = await listTokensOf(hub, 'ann')
  t.match(listed, { name: 'ci', role: 'write', expiresAt, lastUsedAt: null, revokedAt: null })
  t.notMatch(JSON.stringify(listed), token.slice(3))
  const stored = await hub.database.query('select * from access_tokens')
  t.notMatch(JSON.stringify(stored), token.slice(3))
  await t.rejects(revokeTokenOf(hub, 'bob', listed.tokenId), { code: 'TokenNotFound' }, 'it is not his')
  await revokeTokenOf(hub, 'ann', listed.tokenId)
  t.type((await listTokensOf(hub, 'ann'))[0].revokedAt, Date)
})

t.test('what cannot be is refused with a sentence', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  await t.rejects(createToken(hub, { userName: 'eve', role: 'read', name: 'x' }), { code: 'AccountNotFound' })
  await t.rejects(createToken(hub, { userName: 'ann', role: 'read', name: '' }), { code: 'InputInvalid' })
  for (const id of ['1', 'x', '', '9'.repeat(40)]) {
    await t.rejects(revokeTokenOf(hub, 'ann', id), { code: 'TokenNotFound', message: /token list ann/ })
  }
})
