import t from 'tap'
import { createUser, setPassword, setUserDisabled } from '../../src/hub/accounts.ts'
import { authenticate } from '../../src/hub/authenticate.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { createToken, listTokensOf, revokeTokenOf } from '../../src/hub/tokens.ts'
import { createHubOverDatabase } from '../support/hub-over-database.ts'

const home = '192.0.2.1'
const invalid = { code: 'CredentialsInvalid', message: 'Invalid credentials in Authorization header' }
const password = 'correct horse'

const bearer = (token: string) => ({ kind: 'bearer', token }) as const
const basic = (user: string, secret: string) => ({ kind: 'basic', user, secret }) as const

async function hubWithLimits(t: Parameters<typeof createHubOverDatabase>[0], limits: Partial<Hub['config']['limits']>) {
  const hub = await createHubOverDatabase(t)
  return { ...hub, config: { ...hub.config, limits: { ...hub.config.limits, ...limits } } }
}

const failuresOf = async (hub: Hub) => {
  const rows = await hub.database.query<{ sum: number }>('select sum(failures)::int as sum from sign_in_failures')
  return rows[0].sum ?? 0
}

t.test('nobody is anonymous', async (t) => {
  const hub = await createHubOverDatabase(t)
  t.same(await authenticate(hub, { kind: 'none' }, home), { kind: 'anonymous' })
})

t.test('a token counts as Bearer, as password and as user name, and carries its role', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'Ann', isAdmin: true })
  const token = await createToken(hub, { userName: 'ann', role: 'write', name: 'ci' })
  const expected = { kind: 'user', userName: 'Ann', isAdmin: true, role: 'write', tokenName: 'ci', tokenId: String }
  for (const credentials of [bearer(token), basic('whoever', token), basic(token, ''), basic(token, 'x-oauth-basic')]) {
    t.match(await authenticate(hub, credentials, home), expected)
  }
})

t.test('a token ends when it expires, is revoked, or its user is disabled', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  const make = (name: string, expiresAt?: Date) => createToken(hub, { userName: 'ann', role: 'read', name, expiresAt })
  const expired = await make('expired', new Date(Date.now() - 1000))
  const later = await make('later', new Date(Date.now() + 60_000))
  const revoked = await make('revoked')
  t.match(await authenticate(hub, bearer(later), home), { tokenName: 'later' })
  t.match(await authenticate(hub, bearer(revoked), home), { tokenName: 'revoked' })
  await revokeTokenOf(hub, 'ann', (await listTokensOf(hub, 'ann'))[2].tokenId)
  await t.rejects(authenticate(hub, bearer(expired), home), invalid)
  await t.rejects(authenticate(hub, bearer(revoked), home), invalid)
  await t.rejects(authenticate(hub, bearer(`${later.slice(0, -1)}!`), home), invalid)
  await setUserDisabled(hub, 'ann', true)
  await t.rejects(authenticate(hub, bearer(later), home), invalid)
  await setUserDisabled(hub, 'ann', false)
  t.match(await authenticate(hub, bearer(later), home), { tokenName: 'later' })
})

t.test('the use of a token is noted, at most once a minute', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'ann' })
  const token = await createToken(hub, { userName: 'ann', role: 'read', name: 'ci' })
  const updates: Promise<unknown>[] = []
  const { database } = hub
  const query: typeof database.query = (sql, values) => {
    const answer = database.query<never>(sql, values)
    if (/^\s*update access_tokens/.test(sql)) updates.push(answer)
    return answer
  }
  const watched = { ...hub, database: { ...database, query } }
  for (let i = 0; i < 3; i++) {
    await authenticate(watched, bearer(token), home)
    await Promise.all(updates)
  }
  t.equal(updates.length, 1)
  t.type((await listTokensOf(hub, 'ann'))[0].lastUsedAt, Date)
})

t.test('a password counts for its user, in any case of the name, and may do everything', async (t) => {
  const hub = await createHubOverDatabase(t)
  await createUser(hub, { name: 'Ann', password })
  t.match(await authenticate(hub, basic('aNN', password), home), { userName: 'Ann', role: 'admin', tokenId: undefined })
  await t.rejects(authenticate(hub, basic('Ann', 'wrong horse'), home), invalid)
  await t.rejects(authenticate(hub, basic('Bob', password), home), invalid)
  await createUser(hub, { name: 'tokens-only' })
  await t.rejects(authenticate(hub, basic('tokens-only', ''), home), invalid)
  t.equal(await failuresOf(hub), 6, 'three failures, each of an account and an address')
})

t.test('a proven password is not checked again, until it changes or its user is disabled', async (t) => {
  const hub = await hubWithLimits(t, { passwordChecksQueuedMax: 0 })
  await createUser(hub, { name: 'ann', password })
  // More at once than may be checked or queued: they share one check.
  await Promise.all(Array.from({ length: 8 }, () => authenticate(hub, basic('ann', password), home)))
  const start = performance.now()
  for (let i = 0; i < 20; i++) await authenticate(hub, basic('ann', password), home)
  t.ok(performance.now() - start < 2000, 'twenty checks would take eight seconds')
  t.equal(await failuresOf(hub), 0)
  await setUserDisabled(hub, 'ann', true)
  await t.rejects(authenticate(hub, basic('ann', password), home), invalid)
  await setUserDisabled(hub, 'ann', false)
  await setPassword(hub, 'ann', 'another horse')
  await t.rejects(authenticate(hub, basic('ann', password), home), invalid)
  t.match(await authenticate(hub, basic('ann', 'another horse'), home), { userName: 'ann' })
})

t.test('failures of an account are limited, from wherever they come and whether it exists or not', async (t) => {
  const hub = await hubWithLimits(t, { signInFailuresMax: 2 })
  await createUser(hub, { name: 'ann', password })
  for (const name of ['ann', 'nobody']) {
    await t.rejects(authenticate(hub, basic(name, 'guess one'), '192.0.2.1'), invalid)
    await t.rejects(authenticate(hub, basic(name.toUpperCase(), 'guess two'), '192.0.2.2'), invalid)
    await t.rejects(authenticate(hub, basic(name, password), '192.0.2.3'), {
      code: 'SignInLimited',
      message: /Wait \d+ seconds/,
      details: { retryAfterSeconds: Number },
    })
  }
})

t.test('racing guesses do not slip past the limit together', async (t) => {
  const hub = await hubWithLimits(t, { signInFailuresMax: 2 })
  await createUser(hub, { name: 'ann', password })
  const guesses = Array.from({ length: 6 }, (_, i) => authenticate(hub, basic('ann', `guess ${i}`), home))
  const outcomes = await Promise.allSettled(guesses)
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'in'))
  t.same(codes.sort(), [...Array(2).fill('CredentialsInvalid'), ...Array(4).fill('SignInLimited')])
})

t.test('failures of an address are limited, tokens too, and a valid token never is', async (t) => {
  const hub = await hubWithLimits(t, { signInFailuresPerAddressMax: 2 })
  await createUser(hub, { name: 'ann', password })
  const token = await createToken(hub, { userName: 'ann', role: 'read', name: 'ci' })
  await t.rejects(authenticate(hub, bearer('hf_wrong'), '2001:db8::1'), invalid)
  await t.rejects(authenticate(hub, basic('bob', 'x'), '2001:db8:0:0:aaaa::2'), invalid, 'the same /64')
  await t.rejects(authenticate(hub, bearer('hf_wrong'), '2001:0db8::3'), { code: 'SignInLimited' })
  await t.rejects(authenticate(hub, basic('ann', password), '2001:db8::4'), { code: 'SignInLimited' })
  t.match(await authenticate(hub, bearer(token), '2001:db8::5'), { userName: 'ann' })
  t.match(await authenticate(hub, basic('ann', password), '2001:db8:1::1'), { userName: 'ann' }, 'another network')
  await t.rejects(authenticate(hub, bearer('hf_wrong'), '198.51.100.7'), invalid)
  await t.rejects(authenticate(hub, bearer('hf_wrong'), '::ffff:198.51.100.7'), invalid)
  await t.rejects(authenticate(hub, bearer('hf_wrong'), '198.51.100.7'), { code: 'SignInLimited' }, 'one IPv4 address')
})
