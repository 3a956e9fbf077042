import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'

t.test('rules are added, replaced, listed and removed', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  await holdfast('repo', 'create', 'model', 'ann/m')
  const rule = (...args: string[]) => holdfast('repo', 'rule', ...args)
  t.match(await rule('add', 'ann/m', 'refs/heads/main', '--fast-forward-only', '--no-deletion'), {
    status: 0,
    stdout: 'ann/m\n',
  })
  await rule('add', 'ann/m', 'refs/heads/größe/*', '--push', 'admin')
  await rule('add', 'ann/m', 'refs/internal/*', '--hidden')
  t.same((await rule('list', 'ann/m')).stdout.split('\n'), [
    'REFS                PUSH   FAST-FORWARD ONLY  NO DELETION  HIDDEN',
    'refs/heads/main     all    yes                yes          -',
    'refs/heads/größe/*  admin  -                  -            -',
    'refs/internal/*     all    -                  -            yes',
    '',
  ])
  await rule('add', 'ann/m', 'refs/heads/main', '--push', 'nobody')
  t.match(await rule('remove', 'ann/m', 'refs/heads/größe/*'), { status: 0, stdout: 'ann/m\n' })
  t.same((await rule('list', 'ann/m')).stdout.split('\n').slice(1), [
    'refs/internal/*  all     -                  -            yes',
    'refs/heads/main  nobody  -                  -            -',
    '',
  ])
})

t.test('what cannot be is one sentence that says what to do', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  await holdfast('repo', 'create', 'model', 'ann/m')
  const refused = async (expected: RegExp, ...args: string[]) => {
    const { status, stdout, stderr } = await holdfast('repo', 'rule', ...args)
    t.match({ isRefused: status > 0, stdout }, { isRefused: true, stdout: '' }, args.join(' '))
    t.match(stderr, expected)
  }
  await refused(/"main" names no refs. Give a full name such as refs\/heads\/main/, 'add', 'ann/m', 'main', '--hidden')
  await refused(/names no refs/, 'add', 'ann/m', 'refs/heads/a b', '--hidden')
  await refused(/--hidden is needed/, 'add', 'ann/m', 'refs/heads/main')
  await refused(/Allowed choices are admin, nobody/, 'add', 'ann/m', 'refs/heads/main', '--push', 'all')
  await refused(/ann\/m has no rule for refs\/heads\/main\./, 'remove', 'ann/m', 'refs/heads/main')
})
