import t from 'tap'
import { type AccessQuestion, lookUpAccess } from '../../src/database/access-lookups.ts'
import type { Queryable } from '../../src/database/queryable.ts'
import { hashToken } from '../../src/hub/credentials.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { createRepo } from '../../src/hub/repos.ts'
import { createToken } from '../../src/hub/tokens.ts'
import { createHubOverDatabase, createPrincipal } from '../support/hub-over-database.ts'

const model = (name: string) => ({ type: 'model', namespace: 'ann', name }) as const

/** Ann with a token and a repository, and a database that counts. */
async function openWorld(t: Parameters<typeof createHubOverDatabase>[0]) {
  const hub: Hub = await createHubOverDatabase(t)
  const ann = await createPrincipal(hub, 'ann')
  await createRepo(hub, ann, model('m'), 'private')
  const token = await createToken(hub, { userName: 'ann', role: 'read', name: 'ci' })
  const asked: number[] = []
  const db: Queryable = {
    query: (sql, values = [], name) => {
      asked.push((values[0] as unknown[]).length)
      return hub.database.query(sql, values, name)
    },
  }
  return { hub, ann, db, asked, secretSha256: hashToken(token) }
}

t.test('a token, its bearer, the repository and the role for it come from one query', async (t) => {
  const { db, asked, ann, secretSha256 } = await openWorld(t)
  t.match(await lookUpAccess(db, { secretSha256, name: { ...model('M'), namespace: 'ANN' } }), {
    bearer: { userId: ann.userId, userName: 'ann', tokenName: 'ci', tokenRole: 'read', isAdmin: false },
    found: { repo: { namespace: 'ann', name: 'm', visibility: 'private', refsVersion: '0' }, role: 'admin' },
  })
  t.same(asked, [1])
})

t.test('each part may be absent', async (t) => {
  const { db, ann, secretSha256 } = await openWorld(t)
  t.match(await lookUpAccess(db, { secretSha256 }), { bearer: { userId: ann.userId }, found: undefined })
  t.match(await lookUpAccess(db, { secretSha256, name: model('x') }), { bearer: { userName: 'ann' }, found: undefined })
  t.match(await lookUpAccess(db, { name: model('m') }), { bearer: undefined, found: { role: undefined } })
  t.match(await lookUpAccess(db, { userId: ann.userId, name: model('m') }), { found: { role: 'admin' } })
  const unknown = await lookUpAccess(db, { secretSha256: Buffer.alloc(32), name: model('m') })
  t.match(unknown, { bearer: undefined, found: { role: undefined } })
  t.same(await lookUpAccess(db, {}), { bearer: undefined, found: undefined })
})

t.test('what is asked in one turn of the event loop is one query, and equal questions are one', async (t) => {
  const { db, asked, ann, secretSha256 } = await openWorld(t)
  const questions: AccessQuestion[] = [
    { secretSha256, name: model('m') },
    { name: model('m') },
    { secretSha256, name: model('m') },
    { userId: ann.userId, name: model('x') },
  ]
  const answers = await Promise.all(questions.map((question) => lookUpAccess(db, question)))
  t.same(asked, [3])
  t.same(
    answers.map(({ bearer, found }) => [bearer?.userName, found?.repo.name, found?.role]),
    [
      ['ann', 'm', 'admin'],
      [undefined, 'm', undefined],
      ['ann', 'm', 'admin'],
      [undefined, undefined, undefined],
    ],
  )
  await lookUpAccess(db, questions[0])
  t.same(asked, [3, 1], 'nothing is remembered')
})

t.test('one that cannot be asked fails alone', async (t) => {
  const { db, asked } = await openWorld(t)
  const [good, bad] = await Promise.allSettled([
    lookUpAccess(db, { name: model('m') }),
    lookUpAccess(db, { name: model('m\0') }),
  ])
  t.match(good, { status: 'fulfilled', value: { found: { repo: { name: 'm' } } } })
  t.match(bad, { status: 'rejected', reason: { code: 'InputInvalid' } })
  t.same(asked, [2, 1, 1])
})

t.test('while the database is busy questions gather, and a slow answer holds up no others', async (t) => {
  const { hub, asked, db } = await openWorld(t)
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let count = 0
  const slow: Queryable = {
    query: async (sql, values, name) => {
      await gates[count++]?.promise
      return await db.query(sql, values, name)
    },
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const first = lookUpAccess(slow, { name: model('m') })
  await turn()
  const second = lookUpAccess(slow, { name: model('m') })
  await turn()
  const rest = ['m', 'x', 'm', 'y'].map((name) => lookUpAccess(slow, { name: model(name) }))
  await turn()
  t.equal(count, 2, 'two at once')
  gates[1].resolve()
  t.match(await second, { found: { repo: { name: 'm' } } })
  t.same(
    (await Promise.all(rest)).map(({ found }) => found?.repo.name),
    ['m', undefined, 'm', undefined],
  )
  t.same(asked, [1, 3], 'what came meanwhile in one query')
  gates[0].resolve()
  t.match(await first, { found: { repo: { name: 'm' } } })
  t.same(await lookUpAccess(slow, {}), { bearer: undefined, found: undefined })
  t.ok(hub)
})
