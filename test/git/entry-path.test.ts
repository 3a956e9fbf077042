import t from 'tap'
import { splitEntryPath } from '../../src/git/entry-path.ts'

const limits = { gitPathMaxBytes: 100, gitPathDepthMax: 5, gitEntryNameMaxBytes: 20 }
const split = (path: string) => splitEntryPath(path, limits)

t.test('a path is split into names as trees hold them', async (t) => {
  t.same(split('a/b c/.d/e..f'), ['a', 'b c', '.d', 'e..f'])
  t.same(split('ä'), [Buffer.from('ä').toString('latin1')])
  t.not(split('\u00e4')[0], split('a\u0308')[0], 'normalisation forms are kept')
  t.same(split('.gitignore/.gitmodules/git/x.git'), ['.gitignore', '.gitmodules', 'git', 'x.git'])
})

t.test('what no tree may hold, or no system checks out', async (t) => {
  const dotGits = [
    '.git',
    '.GIT',
    'a/.Git/x',
    'git~1',
    'GIT~1',
    '.git.',
    '.git ',
    '.git::$INDEX_ALLOCATION',
    '.g\u200cit',
  ]
  const shapes = [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a/./b',
    'a/../b',
    '..\\ddd',
    'a\\b',
    'a\0',
    'a\nb',
    '\x7f',
    '\ud800',
  ]
  const sizes = ['x'.repeat(101), 'ä'.repeat(51), 'x'.repeat(21), 'a/'.repeat(5).concat('a')]
  for (const path of [...dotGits, ...shapes, ...sizes])
    t.throws(() => split(path), { code: 'PathInvalid' }, JSON.stringify(path))
})
