/** fsck, gc and doctor, whose rules are tested in test/hub/: here their reports and their exit status. */
import t from 'tap'
import { openCommandLine, startCommands } from '../support/command-line.ts'

t.test('fsck, gc and doctor report a new instance as well', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  await holdfast('repo', 'create', 'model', 'ann/m')
  const checked = await holdfast('fsck')
  t.equal(checked.status, 0, checked.stderr)
  t.match(checked.stdout, /ann\/m +0 +0 +0 +well\nLFS objects: 0\nAll is well.\n$/)
  t.match(await holdfast('fsck', 'ann/x'), { status: 1, stderr: /not found/ })
  const collected = await holdfast('gc', '--dry-run')
  t.match(collected, { status: 0, stdout: /of unfinished uploads +0 +0 B +would be deleted/ })
  t.match(await holdfast('gc'), { status: 0, stdout: /of removed packs +0 +- +deleted/ })
  const examined = await holdfast('doctor')
  t.match(examined, { status: 0, stdout: /^SUBJECT +STATE +FINDING\ndatabase +well +PostgreSQL/ })
})

t.test('doctor reports what cannot be opened, with status 1', async (t) => {
  const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' }
  t.match(await startCommands(t)({ args: ['doctor'], env, stdin: '' }), { status: 1, stdout: /^opening +fault +/m })
})

t.test('fsck names what is damaged, with status 1', async (t) => {
  const { holdfast, database } = await openCommandLine(t)
  await database.query(`insert into lfs_objects (oid, size_bytes, key) values (sha256('x'), 1, 'lfs/2d/71/x')`)
  t.match(await holdfast('fsck'), {
    status: 1,
    stdout: /^fault: LFS object 2d71\S+: its bytes, lfs\/2d\/71\/x, are not in the bucket\n[\s\S]*\nFaults: 1\n$/,
    stderr: /^Something is damaged or lost\. .*\n$/,
  })
})
