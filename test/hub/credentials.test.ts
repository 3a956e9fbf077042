import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { hashPassword, hashToken, isToken, newToken, verifyPassword } from '../../src/hub/credentials.ts'

const { limits } = readConfig({})

t.test('tokens are hf_ and 40 random characters, and stored as SHA-256', async (t) => {
  const tokens = Array.from({ length: 100 }, newToken)
  t.equal(new Set(tokens).size, 100)
  t.ok(tokens.every((token) => /^hf_[0-9A-Za-z]{40}$/.test(token) && isToken(token)))
  t.equal(hashToken('abc').toString('hex'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.notOk(isToken('hf_short'))
  t.notOk(isToken(`${newToken()}x`))
})

t.test('passwords are hashed with scrypt at 2^17, 8, 1, and a salt of their own', async (t) => {
  const stored = await hashPassword('correct horse', limits)
  t.match(stored, /^scrypt\$17\$8\$1\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/)
  t.not(await hashPassword('correct horse', limits), stored)
  t.ok(await verifyPassword('correct horse', stored, limits))
  t.notOk(await verifyPassword('correct horsf', stored, limits))
})

t.test('one password typed as different code points is one password', async (t) => {
  const stored = await hashPassword('caf\u00e9-caf\u00e9', limits)
  t.ok(await verifyPassword('cafe\u0301-cafe\u0301', stored, limits))
})

t.test('who does not exist costs as much as who does', async (t) => {
  const stored = await hashPassword('correct horse', limits)
  const millisecondsOf = async (run: () => Promise<unknown>) => {
    const start = performance.now()
    await run()
    return performance.now() - start
  }
  const known = await millisecondsOf(() => verifyPassword('wrong', stored, limits))
  const unknown = await millisecondsOf(async () => t.notOk(await verifyPassword('wrong', undefined, limits)))
  // Generous, as other tests run beside this one; without the work it would be a thousandth.
  t.ok(unknown > known / 10, `${unknown} ms against ${known} ms`)
})

t.test('few are checked at once, some wait, the rest are turned away', async (t) => {
  const tight = { ...limits, passwordChecksAtOnceMax: 1, passwordChecksQueuedMax: 1 }
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => verifyPassword('x', undefined, tight)))
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  t.match(outcomes[2], { reason: { code: 'Unavailable', details: { retryAfterSeconds: Number } } })
  t.equal(await verifyPassword('x', undefined, tight), false, 'and then there is room again')
})
