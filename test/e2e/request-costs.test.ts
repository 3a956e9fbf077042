/** What a small push and a small clone cost in database round trips and bucket requests, by real git: held, so that they cannot creep. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import type { Limits } from '../../src/config.ts'
import { run, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'
import { openJournal } from '../support/journal.ts'

/** A hosted repository that was pushed to before, its work tree, and the journal of what happens next. */
async function openScene(t: Test, limits: Partial<Limits> = {}, isStore = false) {
  const journal = openJournal()
  const hub = await openHouse(t, {
    limits,
    database: journal.database,
    bucket: (files) => journal.bucket(isStore ? asStore(files) : files),
    logger: journal.logger,
  })
  const alice = await addPerson(hub, 'alice')
  await addRepo(hub, alice, 'model', { visibility: 'private' })
  const remote = gitUrl(await listen(t, hub), alice, 'alice/model')
  const folder = temporaryFolder(t, 'costs')
  const work = join(folder, 'work')
  const git = async (...args: string[]) => {
    const { status, stderr } = await run('git', args, { cwd: work })
    t.equal(status, 0, stderr)
  }
  await run('git', ['init', '-q', '-b', 'main', work])
  const push = async (content: Buffer = randomBytes(100)) => {
    await writeFile(join(work, 'file'), content)
    await git('add', 'file')
    await git('commit', '-q', '-m', 'change')
    journal.clear()
    await git('push', '-q', remote, 'HEAD:main')
    return journal.requests
  }
  const clone = async (name: string) => {
    journal.clear()
    const { status, stderr } = await run('git', ['clone', '-q', remote, join(folder, name)])
    t.equal(status, 0, stderr)
    return journal.requests
  }
  await push()
  return { push, clone }
}

/** A bucket that is no local folder, as far as anybody can see. */
function asStore(bucket: Bucket): Bucket {
  return new Proxy(bucket, {
    get(target, name) {
      if (name === 'openFile') return async () => undefined
      const value = target[name as keyof Bucket]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const infoRefs = 'GET /alice/model/info/refs'
const receivePack = 'POST /alice/model/git-receive-pack'
const uploadPack = 'POST /alice/model/git-upload-pack'

t.test('a push of a small pack costs two round trips and asks nothing of the bucket', async (t) => {
  const { push } = await openScene(t)
  for (let number = 0; number < 3; number++) {
    const [challenged, advertised, pushed, ...rest] = await push()
    t.match(challenged, { what: infoRefs, status: 401, bucketCalls: [] }, 'git asks without credentials first')
    t.match(advertised, { what: infoRefs, status: 200, bucketCalls: [] })
    t.ok(advertised.statements.length <= 2, advertised.statements.join())
    t.same(pushed, {
      what: receivePack,
      status: 200,
      statements: ['look-up-access', 'commit-push-1'],
      bucketCalls: [],
    })
    t.same(rest, [])
  }
})

t.test('a push of a pack that fits one part costs three round trips and two bucket requests', async (t) => {
  for (const isStore of [false, true]) {
    const { push } = await openScene(t, {}, isStore)
    for (let number = 0; number < 3; number++) {
      const requests = await push(randomBytes(1_000_000))
      const { statements, bucketCalls } = requests[requests.length - 1]
      t.match(requests[requests.length - 1], { what: receivePack, status: 200 })
      t.ok(statements.length <= 3, statements.join())
      t.same(bucketCalls, ['putFile', 'put'], 'the pack before is not fetched back')
    }
  }
})

t.test('a clone of what is warm costs two round trips, one a request, and asks nothing of the bucket', async (t) => {
  for (const inlinePackMaxBytes of [0, 2 ** 18]) {
    const { push, clone } = await openScene(t, { inlinePackMaxBytes })
    await push()
    await clone('cold')
    const requests = (await clone('warm')).filter(({ status }) => status !== 401)
    t.same(
      requests.map(({ what }) => what),
      [infoRefs, uploadPack, uploadPack],
    )
    for (const { statements, bucketCalls } of requests) {
      t.same(statements, ['look-up-access'])
      t.same(bucketCalls, [])
    }
  }
})

t.test('the server that took a small pack has it open: the next fetch asks for nothing but access', async (t) => {
  const { push, clone } = await openScene(t)
  await clone('first')
  await push()
  const requests = (await clone('second')).filter(({ what, status }) => what === uploadPack && status === 200)
  const statements = requests.flatMap((request) => request.statements).filter((name) => name !== 'look-up-access')
  t.same(statements, ['read-ref-changes'])
  t.same(
    requests.flatMap(({ bucketCalls }) => bucketCalls),
    [],
  )
})
