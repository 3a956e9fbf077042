/** The command's words and status. What an import brings is tested in test/hub/import.test.ts. */
import { join } from 'node:path'
import t from 'tap'
import { openCommandLine } from '../support/command-line.ts'
import { git, run, temporaryFolder } from '../support/git.ts'
import { makeHistory } from '../support/histories.ts'

t.test('a folder becomes a repository, which is made for it', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  const folder = temporaryFolder(t, 'import')
  const source = await makeHistory(join(folder, 'source.git'), 'small')
  const imported = await holdfast('import', source, 'datasets/Ann/texts', '--private')
  t.match(imported, { status: 0, stdout: /^datasets\/ann\/texts: 1 refs, \d+ objects, 0 LFS objects\n$/ })
  t.notMatch(imported.stderr, '\r', 'no counters where nobody watches')
  t.match(await holdfast('repo', 'list'), { stdout: /datasets\/ann\/texts +dataset +private/ })
  const again = await holdfast('import', source, 'datasets/ann/texts')
  t.match(again, { status: 1, stdout: '', stderr: /not empty/ })
})

t.test('what cannot be imported makes no repository', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  const folder = temporaryFolder(t, 'import')
  for (const path of [join(folder, 'absent'), folder]) {
    t.match(await holdfast('import', path, 'ann/m'), { status: 1, stdout: '', stderr: /^[^\n]*\n$/ }, path)
  }
  await git(folder, 'init', '-q', '--bare', 'empty.git')
  t.match(await holdfast('import', join(folder, 'empty.git'), 'm'), { status: 1, stderr: /not the path of a repo/ })
  t.match(await holdfast('import', join(folder, 'empty.git'), 'eve/m'), { status: 1, stderr: /"eve"/ })
  t.equal((await holdfast('repo', 'list')).stdout.trim().split('\n').length, 1, 'headings alone')
})

t.test('a pointer without content stops it, naming the remedy; fixtures may pass', async (t) => {
  const { holdfast } = await openCommandLine(t)
  await holdfast('user', 'create', 'ann')
  const source = join(temporaryFolder(t, 'import'), 'work')
  await git('.', 'init', '-q', source)
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 7\n`
  const stream = `commit refs/heads/main\ncommitter A <a@example.org> 1 +0000\ndata 1\nm\nM 100644 inline w.bin\ndata ${pointer.length}\n${pointer}\n`
  t.equal((await run('git', ['fast-import', '--quiet'], { cwd: source, stdin: stream })).status, 0)
  const refused = await holdfast('import', source, 'ann/m')
  t.match(refused, { status: 1, stdout: '' })
  t.match(refused.stderr, `w.bin (${'a'.repeat(64)})`)
  t.match(await holdfast('import', source, 'ann/m', '--allow-missing-lfs'), { status: 0, stdout: /0 LFS objects/ })
})
