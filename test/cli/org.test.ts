import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'

t.test('organizations and their members', async (t) => {
  const { holdfast } = await openCommandLine(t)
  for (const name of ['ann', 'bob']) await holdfast('user', 'create', name)
  t.match(await holdfast('org', 'create', 'Acme', '--owner', 'ann'), { status: 0, stdout: 'Acme\n' })
  t.match(await holdfast('org', 'member', 'acme', 'bob', '--role', 'write'), { status: 0, stdout: 'Acme\n' })
  t.same((await holdfast('org', 'member', 'acme')).stdout, 'USER  ROLE\nann   admin\nbob   write\n')
  t.match(await holdfast('org', 'member', 'acme', 'bob', '--remove'), { status: 0, stdout: 'Acme\n' })
  t.match(await holdfast('org', 'member', 'acme', 'ann', '--remove'), { status: 1, stderr: /only admin of Acme/ })
  t.match(await holdfast('org', 'member', 'acme', 'bob'), { status: 2, stderr: /--role or --remove/ })
  t.match(await holdfast('org', 'member', 'acme', 'bob', '--remove', '--role', 'read'), { status: 2 })
  t.match(await holdfast('org', 'create', 'other'), { status: 2, stderr: /--owner/ })
})
