import { createHash } from 'node:crypto'
import t from 'tap'
import { insertLfsGrants, insertLfsObjects } from '../../../src/database/lfs-objects.ts'
import type { RepoId } from '../../../src/database/queryable.ts'
import { deletedFile, file, header, openCommitScene } from '../../support/commit-scene.ts'
import { git } from '../../support/git.ts'
import { addPerson, addRepo } from '../../support/house.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const lfsFile = (path: string, text: string, more: object = { size: text.length }) => ({
  key: 'lfsFile',
  value: { path, algo: 'sha256', oid: sha256(text), ...more },
})

t.test('a commit may point to what its author may read', async (t) => {
  const { hub, commit, head, clone } = await openCommitScene(t)
  const eve = await addPerson(hub, 'eve')
  const hidden = await addRepo(hub, eve, 'hidden', { visibility: 'private' })
  const open = await addRepo(hub, eve, 'open')
  const hold = async (repoId: RepoId, text: string) => {
    await insertLfsObjects(hub.database, [{ lfsOid: sha256(text), sizeBytes: text.length, key: `lfs/${text}` }])
    await insertLfsGrants(hub.database, repoId, [sha256(text)])
  }
  await hold(hidden.id, 'secret')
  await hold(open.id, 'public')
  const before = await head()
  t.match(await commit([header(), file('a'), lfsFile('w', 'secret')]), { status: 400, body: { error: /"w".*upload/ } })
  t.match(await commit([header(), lfsFile('w', 'secret', {})]), { status: 400 })
  t.match(await commit([header(), lfsFile('w', 'public', { size: 5 })]), {
    status: 400,
    body: { error: /6 bytes, not 5/ },
  })
  t.equal(await head(), before)

  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256('public')}\nsize 6`
  const lines = [
    ...[
      lfsFile('sized', 'public'),
      lfsFile('copied', 'public', {}),
      lfsFile('gone', 'public', {}),
      deletedFile('gone'),
    ],
    ...[
      lfsFile('replaced', 'public', {}),
      file('replaced', 'text'),
      file('pointer', 'text'),
      lfsFile('pointer', 'public', {}),
    ],
  ]
  t.equal((await commit([header(), ...lines])).status, 200)
  const folder = await clone()
  for (const name of ['sized', 'copied', 'pointer']) t.equal(await git(folder, 'show', `HEAD:${name}`), pointer, name)
  t.equal(await git(folder, 'show', 'HEAD:replaced'), 'text')
  t.equal(await git(folder, 'ls-files', 'gone'), '')
  t.notMatch(await git(folder, 'show', 'HEAD:.gitattributes'), /sized/, 'no line for a file')
})
