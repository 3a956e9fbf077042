/** Files that get a second name in the bucket. */
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DurableFolders } from '../../src/bucket/durable-folders.ts'
import { linkDurably } from '../../src/bucket/linked-files.ts'

t.test('the same file, in folders that are made, as new as what was just put', async (t) => {
  const folder = t.testdir({ spool: 'content' })
  const from = join(folder, 'spool')
  const hourAgo = Date.now() / 1000 - 3_600
  utimesSync(from, hourAgo, hourAgo)
  const path = join(folder, 'bucket/packs/1/a.pack')
  const folders = new DurableFolders(join(folder, 'bucket'))
  t.equal(await linkDurably(from, path, { folders }), 7)
  t.equal(statSync(path).ino, statSync(from).ino)
  t.ok(Date.now() - statSync(path).mtimeMs < 60_000)
  await t.rejects(linkDurably(from, path, { folders }), { code: 'EEXIST' }, 'keys are never reused')
})

t.test('what cannot be linked to is left alone', async (t) => {
  const folder = t.testdir({ bucket: {} })
  const folders = new DurableFolders(join(folder, 'bucket'))
  const path = join(folder, 'bucket/a')
  t.equal(await linkDurably(join(folder, 'gone'), path, { folders }), undefined)
  mkdirSync(join(folder, 'folder'))
  t.equal(await linkDurably(join(folder, 'folder'), path, { folders }), undefined, 'the kernel refuses: EPERM')
  const elsewhere = '/dev/shm/holdfast-linked-files-test'
  writeFileSync(elsewhere, 'elsewhere')
  t.teardown(() => rmSync(elsewhere))
  t.equal(await linkDurably(elsewhere, path, { folders }), undefined, 'another file system')
})
