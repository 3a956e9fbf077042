import t from 'tap'
import { createServer } from '../../../src/http/server.ts'
import { deletedFile, file, header, type Line, ndjson, openCommitScene } from '../../support/commit-scene.ts'
import { git } from '../../support/git.ts'
import { addPerson } from '../../support/house.ts'

const count = async (folder: string) => Number(await git(folder, 'rev-list', '--count', 'HEAD'))

t.test('writers of different files on one branch lose nothing', async (t) => {
  const { commit, clone } = await openCommitScene(t)
  const writers = 24
  const answers = await Promise.all(
    Array.from({ length: writers }, (_, n) => commit([header(`Writer ${n}`), file(`folder-${n % 3}/file-${n}`)])),
  )
  t.same([...new Set(answers.map(({ status }) => status))], [200])
  t.equal(new Set(answers.map(({ body }) => body.commitOid)).size, writers)
  const folder = await clone()
  t.equal(await count(folder), writers + 1)
  t.equal((await git(folder, 'ls-files')).split('\n').length, writers + 1)
  t.equal(await git(folder, 'fsck', '--strict'), '')
})

t.test('writers over two servers lose nothing', async (t) => {
  const { hub, ada, api, commit, clone } = await openCommitScene(t)
  // A database of its own for each: turns are taken by that.
  const database = {
    ...hub.database,
    query: hub.database.query.bind(hub.database),
    transaction: hub.database.transaction.bind(hub.database),
  }
  const other = createServer({ ...hub, database })
  await other.ready()
  t.teardown(() => other.close())
  const there = (lines: Line[]) =>
    other.inject({ method: 'POST', url: `${api}/commit/main`, headers: ada.headers, payload: ndjson(lines) })
  const statuses = await Promise.all(
    Array.from({ length: 16 }, async (_, n) => {
      const lines = [header(`Writer ${n}`), file(`file-${n}`)]
      return n % 2 === 0 ? (await commit(lines)).status : (await there(lines)).statusCode
    }),
  )
  t.same([...new Set(statuses)], [200])
  t.equal(await count(await clone()), 17)
})

/** A request whose body goes on when `finish` is called: its base is the head of now. */
function openRequest(address: URL, headers: Record<string, string>, lines: readonly Line[]) {
  const { promise: gate, resolve: finish } = Promise.withResolvers<void>()
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(Buffer.from(ndjson(lines.slice(0, 1))))
      await gate
      controller.enqueue(Buffer.from(ndjson(lines.slice(1))))
      controller.close()
    },
  })
  const answer = fetch(new URL('/api/models/ada/model/commit/main', address), {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit)
  return { answer, finish }
}

t.test('what others change meanwhile', async (t) => {
  const { hub, ada, address, commit, head, clone } = await openCommitScene(t)
  const bob = await addPerson(hub, 'bob', { isAdmin: true })
  await commit([header(), file('a', '1'), file('b', '1'), file('d/e', '1')])
  const during = async (ours: Line[], theirs: Line[]) => {
    // The base is read once the branch's state was asked for.
    const asked = Promise.withResolvers<void>()
    const { query } = hub.database
    hub.database.query = ((sql: string, values?: readonly unknown[], name?: string) => {
      if (name === 'read-branch-state') void query.call(hub.database, sql, values, name).then(() => asked.resolve())
      return query.call(hub.database, sql, values, name)
    }) as typeof query
    const { answer, finish } = openRequest(address, ada.headers, ours)
    await asked.promise
    hub.database.query = query
    t.equal((await commit(theirs, { who: bob })).status, 200)
    finish()
    return (await answer).status
  }
  t.equal(await during([header('1'), file('a', '2')], [header(), file('b', '2')]), 200)
  t.equal(await during([header('2'), file('a', '3')], [header(), file('a', '4')]), 412)
  t.equal(await during([header('3'), file('a', '5')], [header(), file('a', '5')]), 200)
  t.equal(await during([header('4'), deletedFile('d')], [header(), file('d/f')]), 412)
  t.equal(await during([header('5'), deletedFile('a')], [header(), deletedFile('a')]), 200)
  const parentCommit = await head()
  t.equal(await during([header('6', { parentCommit }), file('x')], [header(), file('y')]), 412)
  const folder = await clone()
  t.equal(await git(folder, 'log', '--format=%s', '--author=ada'), '1\nA commit\ninitial commit')
})

t.test('a parent that is named must be the head', async (t) => {
  const { commit, head } = await openCommitScene(t)
  const first = await head()
  const { body } = await commit([header('1', { parentCommit: first }), file('a')])
  t.equal((await commit([header('2', { parentCommit: first }), file('b')])).status, 412)
  t.equal((await commit([header('3', { parentCommit: body.commitOid.slice(0, 7) }), file('b')])).status, 200)
})

t.test('a commit that changes nothing makes none', async (t) => {
  const { commit, head, clone } = await openCommitScene(t)
  const { body } = await commit([header(), file('a')])
  t.match(await commit([header('Again'), file('a')]), { status: 200, body: { commitOid: body.commitOid } })
  t.match(await commit([header('Nothing')]), { status: 200, body: { commitOid: body.commitOid } })
  t.equal(await head(), body.commitOid)
  t.equal(await count(await clone()), 2)
})

t.test('the same request again is answered as the first time', async (t) => {
  const { hub, ada, commit, head, clone, call, api } = await openCommitScene(t)
  const bob = await addPerson(hub, 'bob', { isAdmin: true })
  const lines = [header('One'), file('a', '1')]
  const first = (await commit(lines)).body.commitOid
  t.equal((await commit(lines)).body.commitOid, first)
  await commit([header('Other'), file('b')], { who: bob })
  const theirs = (await commit([header('Two'), file('a', '2')], { who: bob })).body.commitOid
  t.equal((await commit(lines)).body.commitOid, first, 'what others committed is not taken back')
  t.equal(await head(), theirs)
  // Somebody else's request, or one for another branch, is another one.
  const bobs = (await commit(lines, { who: bob })).body.commitOid
  t.not(bobs, first)
  await call(ada, 'POST', `${api}/branch/side`, JSON.stringify({ startingPoint: theirs }))
  t.not((await commit(lines, { revision: 'side' })).body.commitOid, first)

  // Two at once: two clients' retries, or a proxy's.
  const twice = [header('Twice'), file('twice')]
  const both = await Promise.all([commit(twice), commit(twice)])
  t.equal(both[0].body.commitOid, both[1].body.commitOid)
  t.equal(await git(await clone(), 'log', '--format=%s', '--author=ada'), 'Twice\nOne\ninitial commit')
})

t.test('who undoes a commit may make it again', async (t) => {
  const { commit, clone } = await openCommitScene(t)
  const write = [header('Write'), file('a', '1')]
  const first = (await commit(write)).body.commitOid
  await commit([header('Remove'), deletedFile('a')])
  const second = (await commit(write)).body.commitOid
  t.not(second, first)
  t.equal((await commit(write)).body.commitOid, second)
  await commit([header('Change'), file('a', '2')])
  t.equal((await commit(write)).status, 200)
  t.equal(await git(await clone(), 'show', 'HEAD:a'), '1')
})

t.test('a request that changed nothing is remembered as well', async (t) => {
  const { hub, commit, head } = await openCommitScene(t)
  const bob = await addPerson(hub, 'bob', { isAdmin: true })
  await commit([header(), file('a', '1')])
  const nothing = [header('Nothing'), file('a', '1')]
  const { commitOid } = (await commit(nothing)).body
  await commit([header('Two'), file('a', '2')], { who: bob })
  const after = await head()
  t.equal((await commit(nothing)).body.commitOid, commitOid)
  t.equal(await head(), after)
})

t.test('requests are remembered for a while', async (t) => {
  const { hub, commit, head } = await openCommitScene(t)
  const bob = await addPerson(hub, 'bob', { isAdmin: true })
  const lines = [header('One'), file('a', '1')]
  const first = (await commit(lines)).body.commitOid
  await commit([header('Two'), file('a', '2')], { who: bob })
  await hub.database.query(`update commit_answers set answered_at = now() - interval '16 minutes'`)
  const again = (await commit(lines)).body.commitOid
  t.not(again, first)
  t.equal(await head(), again)
  t.equal((await commit(lines)).body.commitOid, again, 'the new answer took the place of the old one')
})
