import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'

t.test('users are made, disabled, enabled and given passwords; the name is printed', async (t) => {
  const { holdfast, holdfastWith, holdfastAlone } = await openCommandLine(t)
  t.match(await holdfast('user', 'create', 'Ann', '--admin', '--email', 'ann@example.org'), {
    status: 0,
    stdout: 'Ann\n',
    stderr: /holdfast token create Ann/,
  })
  t.match(await holdfastAlone('correct horse\n', 'user', 'create', 'bob', '--password-stdin'), { stdout: 'bob\n' })
  t.match(await holdfastWith('short', 'user', 'create', 'cal', '--password-stdin'), { status: 1, stderr: /8 to 256/ })
  t.match(await holdfastWith('', 'user', 'password', 'bob'), { status: 1, stderr: /no password on standard input/ })
  t.match(await holdfastWith('another horse', 'user', 'password', 'BOB'), { status: 0, stdout: 'bob\n', stderr: '' })
  t.match(await holdfast('user', 'password', 'bob', '--password-stdin'), { status: 2, stderr: /unknown option/ })
  t.match(await holdfast('user', 'disable', 'ann'), { status: 0, stdout: 'Ann\n', stderr: '' })
  t.match(await holdfast('user', 'enable', 'ann'), { status: 0, stdout: 'Ann\n', stderr: '' })
  t.same(await holdfast('user', 'disable', 'eve'), { status: 1, stdout: '', stderr: 'There is no user "eve".\n' })
  t.match(await holdfast('user', 'create', 'ann'), { status: 1, stdout: '', stderr: /^The name "ann" is taken.*\n$/ })
})
