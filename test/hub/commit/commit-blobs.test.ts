import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createSpoolFile } from '../../../src/disk/spool.ts'
import { createSpoolBudget } from '../../../src/disk/spool-budget.ts'
import { CommitBlobs } from '../../../src/hub/commit/commit-blobs.ts'
import { git, gitEnvironment, run, temporaryFolder } from '../../support/git.ts'
import { made } from '../../support/objects.ts'

t.test('blobs and what comes beside them are a pack that git takes, again and again', async (t) => {
  const spool = createSpoolFile(temporaryFolder(t, 'spool'), createSpoolBudget(2 ** 30))
  t.teardown(() => spool.close())
  const blobs = new CommitBlobs(spool)
  const contents = [
    Buffer.alloc(0),
    Buffer.from('small'),
    randomBytes(100_000),
    randomBytes(1_500_000),
    Buffer.from('small'),
  ]
  const ids = []
  for (const content of contents) ids.push(await blobs.add(content))
  t.same(
    ids,
    contents.map((content) => made('blob', content).id),
  )
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q')
  const tree = made('tree', Buffer.alloc(0))
  for (const others of [[], [tree]]) {
    const pieces: Uint8Array[] = []
    for await (const piece of blobs.pack(others)) pieces.push(Buffer.from(piece))
    writeFileSync(join(folder, 'x.pack'), Buffer.concat(pieces))
    const indexed = await run('git', ['index-pack', '--strict', '-o', 'x.idx', 'x.pack'], {
      cwd: folder,
      env: gitEnvironment(),
    })
    t.equal(indexed.status, 0, indexed.stderr)
    const listed = await git(folder, 'verify-pack', '-v', 'x.idx')
    for (const id of [...ids, ...others.map((other) => other.id)]) t.match(listed, id)
    t.match(listed, `non delta: ${4 + others.length} objects`)

    for (const name of ['x.idx', 'x.pack', 'x.rev']) rmSync(join(folder, name), { force: true })
  }
})
