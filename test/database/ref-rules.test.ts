import t from 'tap'
import { commitPush } from '../../src/database/push-queue.ts'
import { type RefRule, readRefRules, writeRefRules } from '../../src/database/ref-rules.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { insertRepoRow } from '../support/repo-row.ts'

const rules: RefRule[] = [{ pattern: 'refs/heads/\xff*', push: 'admin', fastForwardOnly: true }]

t.test('rules are replaced by whoever has read the newest', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  t.same(await readRefRules(database, repoId), { refRules: [], refRulesVersion: '0' })
  t.equal(await writeRefRules(database, repoId, rules, '0'), true)
  t.equal(await writeRefRules(database, repoId, [], '0'), false)
  t.same(await readRefRules(database, repoId), { refRules: rules, refRulesVersion: '1' })
  t.equal(await writeRefRules(database, repoId, [], '1'), true)
  await database.query('delete from repos')
  t.equal(await readRefRules(database, repoId), undefined)
})

t.test('a push that was judged by older rules moves nothing and says so', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const commands = [{ name: 'refs/heads/a', oldId: undefined, newId: 'a'.repeat(40), peeledId: undefined }]
  const push = { repoId, actorId: undefined, commands, atomic: false }
  await writeRefRules(database, repoId, rules, '0')
  const stale = await database.transaction((tx) => commitPush(tx, { ...push, rulesVersion: '0' }))
  t.match(stale, { results: [], applied: false, rulesChanged: true })
  const fresh = await database.transaction((tx) => commitPush(tx, { ...push, rulesVersion: '1' }))
  t.match(fresh, { applied: true, rulesChanged: false })
})

t.test('what a push says about itself is kept where a ref moved', async (t) => {
  const { database } = await createTestDatabase(t)
  const { repoId } = await insertRepoRow(database)
  const move = (oldId: string | undefined, newId: string, options: string[], bytes?: Buffer) =>
    database.transaction((tx) =>
      commitPush(tx, {
        repoId,
        actorId: undefined,
        commands: [{ name: 'refs/heads/a', oldId, newId, peeledId: undefined }],
        atomic: false,
        rulesVersion: '0',
        details: { options, certificate: bytes && { bytes, pusher: 'Ada', nonceStatus: 'ok' } },
      }),
    )
  const [one, two] = ['1'.repeat(40), '2'.repeat(40)]
  await move(undefined, one, ['ci.skip', 'größe'])
  await move(undefined, two, ['refused'])
  await move(one, one, ['no-op'])
  await move(one, two, [], Buffer.from('certificate\xff', 'latin1'))
  t.same(await database.query('select version, options, certificate, pusher, nonce_status from push_details'), [
    { version: '1', options: ['ci.skip', 'größe'], certificate: null, pusher: null, nonce_status: null },
    {
      version: '2',
      options: [],
      certificate: Buffer.from('certificate\xff', 'latin1'),
      pusher: 'Ada',
      nonce_status: 'ok',
    },
  ])
})
