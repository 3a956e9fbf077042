/** Places for transfers: so many at once and no more, in all, for a user, from an address; the rest waits or is refused. */
import t from 'tap'
import { Admission, type AdmissionLimits } from '../../src/http/admission.ts'

const plenty: AdmissionLimits = {
  atOnceMax: 100,
  perUserMax: 100,
  perAddressMax: 100,
  queuedMax: 100,
  queuedPerCallerMax: 100,
  queueTimeoutMs: 60_000,
}
const never = new AbortController().signal
const ada = { userId: 'ada', address: '10.0.0.1' }
const bob = { userId: 'bob', address: '10.0.0.2' }
const anonymous = { userId: undefined, address: '10.0.0.1' }
const refusal = { code: 'RateLimited', details: { retryAfterSeconds: 60 }, message: /^Too many pushes at once/ }

/** Tells whether a place was there at once, and leaves the queue if not. */
async function isAdmitted(admission: Admission, caller: Parameters<Admission['enter']>[0]): Promise<boolean> {
  const client = new AbortController()
  const entering = admission.enter(caller, client.signal).then(
    (leave) => {
      leave()
      return true
    },
    () => false,
  )
  await new Promise(setImmediate)
  client.abort(new Error('left'))
  return await entering
}

t.test('each limit lets so many run and no more', async (t) => {
  const cases: [Partial<AdmissionLimits>, typeof ada | typeof anonymous, typeof ada | typeof anonymous][] = [
    [{ atOnceMax: 2 }, bob, bob],
    [{ perUserMax: 2 }, { ...ada, address: '10.0.0.3' }, bob],
    [{ perAddressMax: 2 }, anonymous, bob],
  ]
  for (const [limits, same, other] of cases) {
    const admission = new Admission('pushes', { ...plenty, ...limits })
    const leave = await admission.enter(ada, never)
    t.ok(await isAdmitted(admission, same), `${Object.keys(limits)}: the second runs`)
    await admission.enter(ada, never)
    t.notOk(await isAdmitted(admission, same), 'the third waits')
    t.equal(await isAdmitted(admission, other), limits.atOnceMax === undefined, 'others are not concerned')
    leave()
    leave()
    t.ok(await isAdmitted(admission, same), 'a place that was given back is there again, once')
    t.same(admission.counts, { running: 1, queued: 0, refused: 0 })
  }
})

t.test('who waits comes first, except where it may not run yet', async (t) => {
  const admission = new Admission('pushes', { ...plenty, atOnceMax: 2, perUserMax: 1 })
  const order: string[] = []
  const leaveAda = await admission.enter(ada, never)
  const leaveBob = await admission.enter(bob, never)
  const waiting = [ada, anonymous, bob].map(async (caller) => {
    const leave = await admission.enter(caller, never)
    order.push(caller.userId ?? 'anonymous')
    return leave
  })
  t.same(admission.counts, { running: 2, queued: 3, refused: 0 })
  leaveBob()
  await waiting[1]
  t.same(order, ['anonymous'], 'ada has her place already')
  leaveAda()
  await waiting[0]
  t.same(order, ['anonymous', 'ada'])
  for (const leave of await Promise.all(waiting.slice(0, 2))) leave()
  ;(await waiting[2])()
  t.same(admission.counts, { running: 0, queued: 0, refused: 0 })
})

t.test('so many wait and no more', async (t) => {
  for (const limits of [{ queuedMax: 2 }, { queuedPerCallerMax: 2 }]) {
    const admission = new Admission('pushes', { ...plenty, atOnceMax: 1, ...limits })
    const leave = await admission.enter(bob, never)
    const client = new AbortController()
    const first = admission.enter(ada, client.signal)
    admission.check(ada)
    const second = admission.enter(ada, never)
    t.throws(() => admission.check(ada), refusal)
    await t.rejects(admission.enter(ada, never), refusal)
    if (limits.queuedMax === undefined) admission.check(bob)
    t.equal(admission.counts.refused, 2)
    client.abort(new Error('left'))
    await t.rejects(first, { message: 'left' }, 'whoever leaves makes room')
    admission.check(ada)
    leave()
    ;(await second)()
    t.same(admission.counts, { running: 0, queued: 0, refused: 2 })
  }
})

t.test('nobody waits longer than the limit, and a late place is not lost', async (t) => {
  const admission = new Admission('pushes', { ...plenty, atOnceMax: 1, queueTimeoutMs: 20 })
  const leave = await admission.enter(ada, never)
  await t.rejects(admission.enter(bob, never), { code: 'RateLimited', details: { retryAfterSeconds: 1 } })
  leave()
  t.ok(await isAdmitted(admission, bob))
  await t.rejects(admission.enter(bob, AbortSignal.abort(new Error('gone'))), { message: 'gone' })
  t.equal(admission.counts.running, 0)
})
