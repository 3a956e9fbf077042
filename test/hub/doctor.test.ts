import t from 'tap'
import { examine, examinePublicUrl } from '../../src/hub/doctor.ts'
import { openHouse } from '../support/house.ts'

t.test('a house in order is found well, part by part', async (t) => {
  const hub = await openHouse(t)
  const findings = await examine(hub)
  t.match(findings, [
    { subject: 'database', verdict: 'well', message: /PostgreSQL \d+.*, migrated, answers in \d+ ms/ },
    { subject: 'bucket', verdict: 'well' },
    { subject: 'disk', message: /is writable, [\d.]+ GiB are free/ },
    { subject: 'public URL' },
  ])
  for await (const { key } of hub.bucket.list('probe/')) t.fail(`${key} was left behind`)
})

t.test('a part that fails is a finding, and the others are still examined', async (t) => {
  const hub = await openHouse(t)
  const broken = {
    ...hub,
    bucket: {
      ...hub.bucket,
      put: async () => {
        throw new Error('no space left')
      },
    },
    repositories: {
      ...hub.repositories,
      freeDiskBytes: async () => {
        throw new Error('the disk is read-only')
      },
    },
  }
  t.match(await examine(broken), [
    { subject: 'database', verdict: 'well' },
    { subject: 'bucket', verdict: 'fault', message: 'no space left' },
    { subject: 'disk', verdict: 'fault', message: 'the disk is read-only' },
    { subject: 'public URL' },
  ])
})

t.test('a public URL is judged by who can call it', async (t) => {
  const cases = [
    ['https://hub.example.org', '0.0.0.0', 'well'],
    ['http://hub.example.org', '0.0.0.0', 'advice'],
    ['http://127.0.0.1:3000', '127.0.0.1', 'well'],
    ['http://[::1]:3000', '::1', 'well'],
    ['http://localhost:3000', '0.0.0.0', 'advice'],
    ['http://0.0.0.0:3000', '0.0.0.0', 'fault'],
    ['http://[::]:3000', '::', 'fault'],
  ] as const
  for (const [url, host, verdict] of cases) t.equal(examinePublicUrl(url, host).verdict, verdict, `${url} on ${host}`)
})
