import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'

t.test('a token is printed alone, listed without its secret, and revoked', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  const made = await holdfast(
    'token',
    'create',
    'ann',
    '--role',
    'read',
    '--name',
    'ci\u001b[2J',
    '--expires-in-days',
    '9',
  )
  t.match(made, { status: 0, stdout: /^hf_[0-9A-Za-z]{40}\n$/, stderr: '' })
  await holdfast('token', 'create', 'ann')
  const { stdout } = await holdfast('token', 'list', 'ann')
  const [headings, first, second] = stdout.split('\n')
  t.match(headings, /^ID {2}NAME +ROLE +CREATED +EXPIRES +LAST USED +REVOKED$/)
  t.match(first, /^\d+ +ci\ufffd\[2J +read +20\S+Z +20\S+Z +- +-$/, 'no control character reaches the terminal')
  t.match(second, /^\d+ +command line +write +20\S+Z +- +- +-$/)
  t.equal(headings.indexOf('ROLE'), first.indexOf('read'), 'columns are aligned')
  t.notMatch(stdout, made.stdout.trim().slice(3))
  const id = first.split(' ')[0]
  t.match(await holdfast('token', 'revoke', 'ann', id), { status: 0, stdout: `${id}\n` })
  t.match(await holdfast('token', 'list', 'ann'), { stdout: /ci.* +- +20\S+Z\n/ })
  t.match(await holdfast('token', 'revoke', 'ann', '999'), { status: 1, stderr: /token list ann/ })
  t.match(await holdfast('token', 'create', 'ann', '--expires-in-days', '0'), { status: 2, stdout: '' })
})
