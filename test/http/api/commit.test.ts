import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { deletedFile, deletedFolder, file, header, ndjson, openCommitScene } from '../../support/commit-scene.ts'
import { git } from '../../support/git.ts'
import { addPerson, addRepo, gitUrl } from '../../support/house.ts'

t.test('a commit is what git sees', async (t) => {
  const { commit, clone, head, address } = await openCommitScene(t)
  const names = ['a.txt', 'folder/b.txt', 'folder.txt', 'folder-x', 'ä/ö ü.txt', 'a\u0308.txt', 'e/f/g/h']
  const answer = await commit([header('Sum', { description: 'More\nlines' }), ...names.map((name) => file(name))])
  t.equal(answer.status, 200)
  t.match(answer.body, { success: true, commitUrl: `${address.origin}/ada/model/commit/${answer.body.commitOid}` })
  t.equal(await head(), answer.body.commitOid)
  const folder = await clone()
  t.equal(await git(folder, 'fsck', '--strict', '--full'), '')
  t.equal(await git(folder, 'log', '-1', '--format=%B%an'), 'Sum\n\nMore\nlines\nada')
  for (const name of names) t.equal(await readFile(join(folder, name), 'utf8'), `${name}\n`)
  t.equal(await git(folder, 'status', '--porcelain'), '')

  await commit([header(), deletedFile('a.txt'), deletedFolder('e/'), deletedFile('folder'), file('new')])
  const names2 = await git(await clone(), '-c', 'core.quotePath=false', 'ls-files')
  t.same(
    names2.split('\n').sort(),
    ['.gitattributes', 'a\u0308.txt', 'folder-x', 'folder.txt', 'new', 'ä/ö ü.txt'].sort(),
  )
})

t.test('utf-8 content, a last line without its end, blank lines, an old path', async (t) => {
  const { commit, clone } = await openCommitScene(t)
  const line = JSON.stringify({ key: 'file', value: { path: 'a', content: 'ä\n', encoding: 'utf-8' } })
  t.equal((await commit(`${ndjson([header()])}\n\r\n${line}`)).status, 200)
  const renamed = { key: 'file', value: { path: 'b', oldPath: 'a', content: 'ä\n', encoding: 'utf-8' } }
  t.equal((await commit([header(), renamed])).status, 200)
  const folder = await clone()
  t.same(await git(folder, 'ls-files'), '.gitattributes\nb')
  t.equal(await readFile(join(folder, 'b'), 'utf8'), 'ä\n')
})

t.test('names that differ in case alone are two files, as in Git', async (t) => {
  const { commit, clone } = await openCommitScene(t)
  t.equal((await commit([header(), file('README.md', '1'), file('readme.md', '2')])).status, 200)
  t.equal(await git(await clone(), 'ls-files'), '.gitattributes\nREADME.md\nreadme.md')
})

t.test('what is wrong is refused and changes nothing', async (t) => {
  const limits = {
    commitLineMaxBytes: 4096,
    commitLinesMax: 6,
    commitBodyMaxBytes: 8192,
    gitBlobMaxBytes: 2000,
    gitPathMaxBytes: 600,
  }
  const { commit, head } = await openCommitScene(t, { limits })
  await commit([header(), file('a'), file('folder/b')])
  const before = await head()
  const content = (text: string) => [header(), { key: 'file', value: { path: 'x', content: text, encoding: 'base64' } }]
  const paths = [
    '..',
    'a/../b',
    '../x',
    './x',
    '/x',
    'x/',
    'x//y',
    '.git/config',
    'x/.GIT/y',
    'git~1',
    '.git. ',
    '.g\u200cit',
  ]
  const badPaths = [
    ...paths,
    'x\ny',
    'x\0',
    'x\x7f',
    '..\\ddd',
    'x\\y',
    'x'.repeat(700),
    '\ud800',
    `${'d/'.repeat(200)}x`,
  ]
  for (const path of badPaths) {
    const answer = await commit([header(), file('fine'), file(path)])
    t.match(answer, { status: 422, body: { error: /path/ } }, JSON.stringify(path.slice(0, 20)))
  }
  const cases: [string, Parameters<typeof commit>[0], number, RegExp?][] = [
    ['a file and a folder', [header(), file('x'), file('x/y')], 422, /file and a folder/],
    ['a folder and a file', [header(), file('x/y'), file('x')], 422, /file and a folder/],
    ['a file where a folder is', [header(), file('folder')], 422],
    ['a folder where a file is', [header(), file('a/b')], 422],
    ['an absent file', [header(), deletedFile('absent')], 404, /A file with this name doesn't exist/],
    ['an absent folder', [header(), deletedFolder('absent/')], 404],
    ['cut in the middle', ndjson([header(), file('x')]).slice(0, -10), 400, /Line 2/],
    ['no JSON', 'x\n', 400],
    ['null', 'null\n', 400],
    ['an unknown key', [header(), { key: 'copyFile', value: { path: 'x' } }], 400, /Line 2.*lfsFile/],
    ['a key of all objects', [header(), { key: 'constructor', value: {} }], 400],
    ['no header', [file('x')], 400, /header/],
    ['nothing', '', 400, /header/],
    ['two headers', [header(), header()], 400],
    ['no summary', [header(' ')], 400],
    ['a summary with NUL', [header('a\0b')], 400],
    ['a summary that is a number', [{ key: 'header', value: { summary: 1 } }], 400],
    ['no base64', content('&&&&'), 400, /base64/],
    ['half base64', content('YWJ'), 400],
    ['padding in the middle', content('YQ==YQ=='), 400],
    ['an odd encoding', [header(), { key: 'file', value: { path: 'x', content: '', encoding: 'hex' } }], 400],
    ['no path', [header(), { key: 'file', value: { content: '' } }], 400],
    ['an odd oid', [header(), { key: 'lfsFile', value: { path: 'x', algo: 'sha256', oid: 'abc' } }], 400],
    ['a negative size', [header(), { key: 'lfsFile', value: { path: 'x', oid: 'a'.repeat(64), size: -1 } }], 400],
    [
      'content never uploaded',
      [header(), { key: 'lfsFile', value: { path: 'x', oid: 'a'.repeat(64), size: 1 } }],
      400,
      /upload/,
    ],
    [
      'a pointer never uploaded',
      [header(), file('x', `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`)],
      400,
    ],
    ['a long line', content('A'.repeat(5000)), 413],
    ['a long body', [header(), ...['1', '2', '3', '4'].map((name) => file(name, name.repeat(1900)))], 413],
    ['many lines', [header(), ...'123456'.split('').map((name) => file(name))], 413],
    ['a large file', [header(), file('x', 'x'.repeat(2001))], 413, /LFS/],
    [
      'an absent parent',
      [header('x', { parentCommit: 'a'.repeat(40) }), file('x')],
      412,
      /Please refresh and try again/,
    ],
    ['a parent that is no id', [header('x', { parentCommit: 'main' }), file('x')], 400],
  ]
  for (const [name, lines, status, error] of cases) {
    const answer = await commit(lines)
    t.match(answer, { status, body: { error: error ?? /./ } }, name)
    t.equal(answer.headers.get('x-error-message') === null, false, name)
  }
  t.equal(await head(), before)
})

t.test('who may commit, and where', async (t) => {
  const { hub, call, commit, head, clone, api } = await openCommitScene(t)
  const before = await head()
  const folder = await clone()
  const tree = await git(folder, 'rev-parse', 'main^{tree}')
  const body = ndjson([header(), file('x')])
  for (const revision of ['absent', before, tree, 'refs/heads/absent', 'refs/tags/main', 'refs%2Fheads', '~', 'a..b']) {
    const answer = await commit(body, { revision })
    t.match(answer, { status: 404 }, revision)
    t.equal(answer.headers.get('x-error-code'), 'RevisionNotFound')
  }
  const eve = await addPerson(hub, 'eve')
  t.equal((await commit(body, { who: eve })).status, 403)
  t.equal((await call(undefined, 'POST', `${api}/commit/main`, body)).status, 401)
  t.equal(
    (await call(eve, 'POST', '/api/models/ada/absent/commit/main', body)).headers.get('x-error-code'),
    'RepoNotFound',
  )
  const pullRequest = await commit(body, { revision: 'main?create_pr=1' })
  t.match(pullRequest, { status: 501, body: { error: /pull requests/ } })
  t.equal(await head(), before)
  for (const revision of ['HEAD', 'refs%2Fheads%2Fmain', 'refs/heads/main']) {
    t.equal((await commit([header(), file(revision)], { revision })).status, 200)
  }
})

t.test('a body that ends before its announced length changes nothing', async (t) => {
  const { ada, address, head } = await openCommitScene(t)
  const before = await head()
  const body = ndjson([header(), file('x')])
  const request = httpRequest(new URL('/api/models/ada/model/commit/main', address), {
    method: 'POST',
    headers: { ...ada.headers, 'content-length': body.length + 10 },
  })
  request.on('error', () => {})
  await new Promise((resolve) => request.write(body, resolve))
  request.destroy()
  t.equal(await head(), before)
})

t.test('an empty repository takes its first commit', async (t) => {
  const { hub, ada, call, address } = await openCommitScene(t)

  await addRepo(hub, ada, 'empty')
  const answer = await call(ada, 'POST', '/api/models/ada/empty/commit/main', ndjson([header(), file('x')]))
  t.equal(answer.status, 200)

  const listed = await git('.', 'ls-remote', gitUrl(address, ada, 'ada/empty'), 'HEAD')
  t.match(listed, answer.body.commitOid)
})
