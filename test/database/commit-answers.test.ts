import t from 'tap'
import {
  deleteOldCommitAnswers,
  listMovesBy,
  noteUnchanged,
  readBranchState,
  readCommitState,
} from '../../src/database/commit-answers.ts'
import { commitPushes } from '../../src/database/pushes.ts'
import type { UserId } from '../../src/database/queryable.ts'
import { createUser } from '../../src/hub/accounts.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40))
const bodySha256 = Buffer.alloc(32, 1)

async function openScene(t: Parameters<typeof openHouse>[0]) {
  const hub = await openHouse(t)
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const userId: UserId = await createUser(hub, { name: 'bob' })
  const key = { repoId: repo.id, userId, refName: 'refs/heads/main', bodySha256 }
  const move = (
    oldId: string | undefined,
    newId: string,
    answer?: { bodySha256: Buffer; seenCommitId: string | undefined },
  ) =>
    commitPushes(hub.database, [
      {
        repoId: repo.id,
        actorId: userId,
        commands: [{ name: key.refName, oldId, newId, peeledId: undefined }],
        atomic: false,
        rulesVersion: '0',
        answer,
      },
    ])
  return { db: hub.database, key, move, userId }
}

t.test('an answer is noted with the move, once', async (t) => {
  const { db, key, move } = await openScene(t)
  t.same(await readBranchState(db, key), { headId: undefined, refsVersion: '0', packsVersion: '0' })
  await move(undefined, one, { bodySha256, seenCommitId: undefined })
  const state = await readCommitState(db, key, 900)
  t.match(state, { headId: one, answer: { commitId: one, refsVersion: '1', isExpired: false } })
  await t.rejects(move(one, two, { bodySha256, seenCommitId: undefined }), { code: 'Conflict' })
  t.match(await readBranchState(db, key), { headId: one, refsVersion: '1' }, 'and the ref has not moved')
  await move(one, two, { bodySha256, seenCommitId: one })
  t.match(await readCommitState(db, key, 900), { headId: two, answer: { commitId: two, refsVersion: '2' } })
  t.equal((await readCommitState(db, { ...key, refName: 'refs/heads/other' }, 900))?.answer, undefined)
  t.equal((await readCommitState(db, { ...key, bodySha256: Buffer.alloc(32) }, 900))?.answer, undefined)
  t.equal(await readCommitState(db, { ...key, repoId: '0' as never }, 900), undefined)
})

t.test('a move that is refused notes nothing', async (t) => {
  const { db, key, move } = await openScene(t)
  const [{ results }] = await move(three, one, { bodySha256, seenCommitId: undefined })
  t.match(results, [{ reason: 'fetch first' }])
  t.equal((await readCommitState(db, key, 900))?.answer, undefined)
})

t.test('what changed nothing is noted by itself, and goes with time', async (t) => {
  const { db, key, move } = await openScene(t)
  await move(undefined, one)
  const unchanged = { commitId: one, refsVersion: '1', seenCommitId: undefined }
  t.equal(await noteUnchanged(db, key, unchanged), true)
  t.equal(await noteUnchanged(db, key, unchanged), false)
  t.equal(await noteUnchanged(db, key, { ...unchanged, seenCommitId: one }), true)
  await db.query(`update commit_answers set answered_at = now() - interval '16 minutes'`)
  t.match(await readCommitState(db, key, 900), { answer: { isExpired: true } })
  await deleteOldCommitAnswers(db, 900)
  t.equal((await readCommitState(db, key, 900))?.answer, undefined)
})

t.test("a user's own moves", async (t) => {
  const { db, key, move } = await openScene(t)
  await move(undefined, one)
  await move(one, two)
  await move(two, three)
  const list = (afterVersion: string, max = 10) => listMovesBy(db, key, { afterVersion, max })
  t.same(await list('1'), [
    { oldId: two, newId: three },
    { oldId: one, newId: two },
  ])
  t.equal((await list('0', 1)).length, 1)
  t.same(await listMovesBy(db, { ...key, userId: '0' as UserId }, { afterVersion: '0', max: 1 }), [])
})
