import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'

t.test('repositories from creation to deletion', async (t) => {
  const { holdfast } = await openCommandLine(t)
  for (const name of ['ann', 'bob']) await holdfast('user', 'create', name)
  t.match(await holdfast('repo', 'create', 'model', 'ann/First'), {
    status: 0,
    stdout: 'http://hub.example/ann/First\n',
  })
  t.match(await holdfast('repo', 'create', 'dataset', 'ann/data', '--private'), {
    stdout: 'http://hub.example/datasets/ann/data\n',
  })
  const { stdout } = await holdfast('repo', 'list')
  t.match(stdout.split('\n'), [
    /^REPOSITORY +TYPE +VISIBILITY +CREATED +UPDATED$/,
    /^datasets\/ann\/data +dataset +private +20\S+Z +20\S+Z$/,
    /^ann\/First +model +public +/,
  ])
  t.equal((await holdfast('repo', 'list', '--type', 'space')).stdout.split('\n').length, 2, 'headings alone')
  t.match(await holdfast('repo', 'visibility', 'ann/first', 'private'), { status: 0, stdout: 'ann/First\n' })
  t.match(await holdfast('repo', 'collaborator', 'ann/first', 'bob', '--role', 'write'), { stdout: 'ann/First\n' })
  t.equal((await holdfast('repo', 'collaborator', 'ann/first')).stdout, 'USER  ROLE\nbob   write\n')
  t.match(await holdfast('repo', 'default-branch', 'ann/first', 'trunk'), { stdout: 'ann/First\n' })
  t.match(await holdfast('repo', 'transfer', 'ann/first', 'bob'), { stdout: 'bob/First\n', stderr: /remote set-url/ })
  t.match(await holdfast('repo', 'transfer', 'bob/first', 'ann/second'), { stdout: 'ann/second\n' })
  t.match(await holdfast('repo', 'delete', 'ann/second'), { status: 1, stdout: '', stderr: /Add --yes/ })
  t.match(await holdfast('repo', 'delete', 'ann/second', '--yes'), { status: 0, stdout: 'ann/second\n' })
  t.match(await holdfast('repo', 'delete', 'ann/second', '--yes'), { status: 1, stderr: /not found: ann\/second\n$/ })
})

t.test('what cannot be is one sentence that says what to do', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  await holdfast('repo', 'create', 'model', 'ann/m')
  const refused = async (expected: RegExp, ...args: string[]) => {
    const { status, stdout, stderr } = await holdfast('repo', ...args)
    t.match({ status, stdout, lines: stderr.split('\n').length }, { status: 1, stdout: '', lines: 2 }, args.join(' '))
    t.match(stderr, expected)
  }
  await refused(/already exists/, 'create', 'model', 'ann/M')
  await refused(/There is no user or organization "eve"/, 'create', 'model', 'eve/m')
  await refused(/not of the form namespace\/name/, 'create', 'dataset', 'datasets/ann/d')
  await refused(/cannot be the name/, 'create', 'model', 'ann/m.git')
  await refused(/not the path of a repository/, 'visibility', 'm', 'private')
  await refused(/cannot be the name of a branch/, 'default-branch', 'ann/m', 'a..b')
})
