import { createHash } from 'node:crypto'
import t from 'tap'
import { insertLfsGrants, insertLfsObjects } from '../../../src/database/lfs-objects.ts'
import { openRepo } from '../../../src/hub/open-repo.ts'
import { operator } from '../../../src/hub/principal.ts'
import { setDefaultBranch } from '../../../src/hub/repos.ts'
import { file, header, openCommitScene } from '../../support/commit-scene.ts'
import { git, temporaryFolder } from '../../support/git.ts'
import { addPerson, gitUrl, type Person } from '../../support/house.ts'

t.test('a copy has the same commits, files and LFS content', async (t) => {
  const { hub, ada, commit, call, api, address } = await openCommitScene(t)
  const eve = await addPerson(hub, 'eve')
  const lfsOid = createHash('sha256').update('content').digest('hex')
  await insertLfsObjects(hub.database, [{ lfsOid, sizeBytes: 7, key: 'lfs/1' }])
  const [{ id }] = await hub.database.query<{ id: never }>('select id from repos')
  await insertLfsGrants(hub.database, id, [lfsOid])
  await commit([
    header(),
    file('a'),
    { key: 'lfsFile', value: { path: 'w.bin', algo: 'sha256', oid: lfsOid, size: 7 } },
  ])
  await call(ada, 'POST', `${api}/branch/side`, '{}')
  await call(ada, 'POST', `${api}/tag/main`, JSON.stringify({ tag: 'v1', message: 'One' }))
  const duplicate = (who: Person | undefined, body: object, from = api) =>
    call(who, 'POST', `${from}/duplicate`, JSON.stringify(body))

  const answer = await duplicate(eve, { repository: 'eve/copy', visibility: 'private' })
  t.match(answer, { status: 200, body: { url: `${address.origin}/eve/copy` } })
  const refsOf = (who: Person, path: string) => git('.', 'ls-remote', gitUrl(address, who, path))
  t.equal(await refsOf(eve, 'eve/copy'), await refsOf(ada, 'ada/model'))
  const folder = temporaryFolder(t)
  await git(folder, 'clone', '-q', '--no-checkout', gitUrl(address, eve, 'eve/copy'), '.')
  t.equal(await git(folder, 'fsck', '--strict'), '')
  const { headers } = await call(eve, 'HEAD', '/eve/copy/resolve/main/w.bin')
  t.equal(headers.get('x-linked-etag'), `"${lfsOid}"`)
  const grants = await hub.database.query(
    `select from lfs_grants g join repos r on r.id = g.repo_id where r.name = 'copy'`,
  )
  t.equal(grants.length, 1)

  const again = await duplicate(eve, { repository: 'eve/copy' })
  t.match(again, { status: 409, body: { url: `${address.origin}/eve/copy` } })
  t.equal((await duplicate(eve, { repository: 'ada/other' })).status, 403)
  t.equal((await duplicate(undefined, { repository: 'ada/other' })).status, 401)
  t.equal((await duplicate(eve, { repository: 'copy' })).status, 400)
  t.equal((await duplicate(ada, { repository: 'ada/x' }, '/api/models/eve/copy')).status, 404, 'private')
  // An empty one too.
  t.equal((await duplicate(ada, { repository: 'ada/second', private: true })).status, 200)
  t.match((await call(ada, 'GET', '/api/models/ada/second')).body, { private: true })
})

t.test('its HEAD is that of its source, whatever comes first', async (t) => {
  const { hub, ada, commit, call, api, address } = await openCommitScene(t)
  await commit([header(), file('a')])
  // The first branch by name is another, and so is the one that a push of all would leave HEAD at.
  await call(ada, 'POST', `${api}/branch/trunk`, '{}')
  await call(ada, 'POST', `${api}/branch/a`, '{}')
  const repo = await openRepo(hub, operator, { type: 'model', namespace: 'ada', name: 'model' }, 'admin')
  await setDefaultBranch(hub, repo, 'trunk')
  const { status } = await call(ada, 'POST', `${api}/duplicate`, JSON.stringify({ repository: 'ada/copy' }))
  t.equal(status, 200)
  const listed = await git('.', 'ls-remote', '--symref', gitUrl(address, ada, 'ada/copy'), 'HEAD')
  t.match(listed, 'ref: refs/heads/trunk\tHEAD')
})
