/** Patterns against git itself: `rev-list --filter=sparse:oid=…` over a tree of awkward names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../../src/bare/bare-repository.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { locateId } from '../../../src/git/repository.ts'
import { noFilter } from '../../../src/git/walk/object-filter.ts'
import { selectObjects } from '../../../src/git/walk/select-objects.ts'
import { SparsePatterns } from '../../../src/git/walk/sparse-patterns.ts'
import { git, gitSync, temporaryFolder } from '../../support/git-client.ts'

const paths = [
  ...['a', 'b.txt', 'c.TXT', '#hash', '!bang', 'space ', 'a[b', 'x-1', 'x-2', 'x-a', 'x_', 'ü.txt', 'back\\slash'],
  ...['dir/a', 'dir/b.txt', 'dir/sub/a', 'dir/sub/deep/b.txt', 'dir/sub/deep/er/a', 'dir2/a', 'other/dir/a'],
  ...['foo/bar', 'foo/x/bar', 'foo/x/y/bar', 'xfoo/bar', 'foobar/z', 'docs/readme.md', 'docs/en/readme.md'],
]

const lists = [
  ...[
    '*',
    '/*',
    '/*\n!/*/',
    'dir',
    'dir/',
    '/dir/',
    'dir/*',
    '/dir/**',
    '**/a',
    'a',
    '/a',
    '*.txt',
    '*.TXT',
    '**',
    '***',
  ],
  ...[
    'foo/**/bar',
    'foo**/bar',
    '**/foo/bar',
    '**/bar',
    'foo/*/bar',
    'dir/sub/',
    'dir/sub/**/a',
    '**/sub/**',
    '/**/deep/',
  ],
  ...[
    'x-[0-9]',
    'x-[!0-9]',
    'x-[^12]',
    'x[-_]*',
    'x-[[:alpha:]]',
    'x-[[:digit:]]',
    'x-[]1]',
    'a\\[b',
    'a[[]b',
    'a[b',
    '[a-c]',
  ],
  ...[
    '\\#hash',
    '#hash',
    '\\!bang',
    '!bang',
    'space\\ ',
    'space ',
    'back\\\\slash',
    '?',
    '??',
    '???.txt',
    'b?txt',
    'dir?a',
  ],
  ...[
    '*\n!dir/',
    '*\n!dir/\ndir/sub/a',
    '!a\n*',
    '*\n!*.txt',
    '/dir\n!/dir/sub\n/dir/sub/deep',
    'ü.txt',
    '\u00fc.txt',
    'docs/*.md',
  ],
  ...[
    '',
    '\n\n',
    'dir\r\n!dir/a\r',
    '/',
    '\\',
    'a\\',
    '[',
    '**/',
    '/**/',
    'dir/**/',
    '**/dir/**/a',
    '*o*/b*r',
    '[[:bad:]]x',
  ],
]

t.test('what patterns want is what git says', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  await git('.', 'init', '-q', '--bare', path)
  const files = paths.flatMap((name) => [
    `M 100644 inline ${quote(name)}`,
    `data ${Buffer.byteLength(name) + 8}`,
    Buffer.from(`content ${name}`).toString('latin1'),
  ])
  const patterns = lists.flatMap((text, n) => {
    const bytes = Buffer.from(text)
    return ['blob', `mark :${n + 2}`, `data ${bytes.length}`, bytes.toString('latin1')]
  })
  const head = ['commit refs/heads/main', 'mark :1', 'committer C <c@example.org> 1 +0000', 'data 0', '']
  const marks = join(path, 'marks')
  const stream = Buffer.from([...patterns, ...head, ...files, ''].join('\n'), 'latin1')
  gitSync(path, ['fast-import', '--quiet', `--export-marks=${marks}`], stream)
  const ids = new Map(readMarks(marks))
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const wants = [locateId(objects, ids.get(1)!)]
  for (const [n, text] of lists.entries()) {
    const listed = await git(
      path,
      'rev-list',
      '--objects',
      '--no-object-names',
      `--filter=sparse:oid=${ids.get(n + 2)}`,
      'main',
    )
    const sparse = [new SparsePatterns(objects.read(locateId(objects, ids.get(n + 2)!)).data.toString('latin1'))]
    const { ordinals } = await selectObjects(objects, { wants, haves: [], filter: { ...noFilter, sparse } })
    const ours = [...ordinals].map((ordinal) => objects.idOf(ordinal)).sort()
    t.same(ours, listed.split('\n').sort(), JSON.stringify(text))
  }
})

t.test('many stars take no exponential time', async (t) => {
  const patterns = new SparsePatterns(`${'*a'.repeat(50)}b\n/${'**/a'.repeat(1)}${'/**/a'.repeat(40)}/b`)
  t.equal(patterns.decide('a'.repeat(2_000), false), undefined)
  t.equal(patterns.decide(Array.from({ length: 500 }, () => 'a').join('/'), false), undefined)
})

t.test('a line as long as may be, against the longest path', (t) => {
  const path = 'a'.repeat(4_096)
  const before = process.cpuUsage()
  for (const count of [2_047, 4_095, 32_000]) {
    const stars = '*a'.repeat(count)
    t.equal(new SparsePatterns(stars).decide(path, false), count <= path.length ? true : undefined)
    t.equal(new SparsePatterns(`${stars}b`).decide(path, false), undefined)
    t.equal(new SparsePatterns(`${stars}*b`).decide(`${path}b`, false), count <= path.length ? true : undefined)
  }
  const { user } = process.cpuUsage(before)
  t.ok(user < 300_000, `${user / 1000} ms`)
  t.end()
})

t.test('long runs of spaces and of `**/` take no quadratic time and no stack', async (t) => {
  const before = process.cpuUsage()
  const spaces = ' '.repeat(64 * 1024)
  t.equal(new SparsePatterns(`a${spaces}b`).decide(`a${spaces}b`, false), true)
  t.equal(new SparsePatterns(`a${spaces}`).decide('a', false), true)
  t.equal(new SparsePatterns(`a\\ ${spaces}`).decide('a ', false), true)
  const chain = '**/'.repeat(15_000)
  for (const text of [`${chain}b`, `/${chain}b`]) {
    t.equal(new SparsePatterns(text).decide('a/a/b', false), true)
    t.equal(new SparsePatterns(text).decide('a/a/a', false), undefined)
    t.equal(new SparsePatterns(text).decide(`${'a/'.repeat(2_000)}a`, false), undefined)
  }
  const { user } = process.cpuUsage(before)
  t.ok(user < 2_000_000, `${user / 1000} ms`)
})

const quote = (name: string) => `"${Buffer.from(name).toString('latin1').replace(/[\\"]/g, '\\$&')}"`

function* readMarks(file: string): Iterable<[number, ObjectId]> {
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [mark, id] = line.slice(1).split(' ')
    yield [Number(mark), id as ObjectId]
  }
}
