import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { insertLfsGrants, insertLfsObjects } from '../../../src/database/lfs-objects.ts'
import { git, temporaryFolder } from '../../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../../support/house.ts'

const pointerTo = (oid: string, size = 10) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`
const [held, odd, loose] = ['a', 'b', 'c'].map((digit) => digit.repeat(64))

/** A repository with three contents: one at a path, one at a path in the past, one that nothing points to. */
async function openRepo(t: Test) {
  const hub = await openHouse(t)
  hub.config.publicUrl = 'http://hub.example'
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const repo = await addRepo(hub, ada, 'bert')
  await insertLfsObjects(
    hub.database,
    [held, odd, loose].map((lfsOid) => ({ lfsOid, sizeBytes: 10, key: `lfs/${lfsOid}` })),
  )
  await insertLfsGrants(hub.database, repo.id, [held, odd, loose])
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await writeFile(join(work, 'past ü.bin'), pointerTo(odd))
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'One')
  await git(work, 'rm', '-q', 'past ü.bin')
  await writeFile(join(work, 'weights.bin'), pointerTo(held))
  // As no client writes it, and every client reads it.
  await writeFile(join(work, 'odd.bin'), `${pointerTo(odd)}  \n`)
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'Two')
  await git(work, 'push', '-q', gitUrl(await listen(t, hub), ada, 'ada/bert'), 'main')
  const server = await openDoors(t, hub)
  const list = (query = '', who = ada) =>
    server.inject({ url: `/api/models/ada/bert/lfs-files${query}`, headers: who.headers })
  const remove = (sha: string[]) =>
    server.inject({
      method: 'POST',
      url: '/api/models/ada/bert/lfs-files/batch',
      headers: ada.headers,
      payload: { deletions: { sha, rewriteHistory: true } },
    })
  return { eve, work, list, remove }
}

t.test('content is listed with the path it has, or had', async (t) => {
  const { eve, work, list } = await openRepo(t)
  const files = (await list()).json()
  t.match(files, [
    {
      oid: held,
      filename: 'weights.bin',
      size: 10,
      pushedAt: /Z$/,
      fileOid: await git(work, 'rev-parse', ':weights.bin'),
    },
    { oid: odd, filename: 'past ü.bin' },
    { oid: loose, filename: loose },
  ])
  const first = await list('?limit=2')
  t.equal(first.json().length, 2)
  t.equal(first.headers.link, `<http://hub.example/api/models/ada/bert/lfs-files?limit=2&cursor=${odd}>; rel="next"`)
  const last = await list(`?limit=2&cursor=${odd}`)
  t.same(last.json(), files.slice(2))
  t.equal(last.headers.link, undefined)
  t.equal((await list('', eve)).statusCode, 403)
  t.equal((await list('?cursor=x')).statusCode, 400)
})

t.test('what history points to stays, in whatever form it does; the rest goes', async (t) => {
  const { list, remove } = await openRepo(t)
  const ids = (await list()).json().map(({ fileOid }: { fileOid: string }) => fileOid)
  for (const kept of [[ids[0]], [ids[1]], ids]) {
    const answer = await remove(kept)
    t.equal(answer.statusCode, 409)
    t.match(answer.json(), { error: /still points to/ })
  }
  t.equal((await remove(['0'.repeat(40)])).statusCode, 404)
  t.equal((await remove(['x'])).statusCode, 400)
  t.equal((await list()).json().length, 3)
  t.equal((await remove([ids[2]])).statusCode, 200)
  t.same(
    (await list()).json().map(({ oid }: { oid: string }) => oid),
    [held, odd],
  )
})
