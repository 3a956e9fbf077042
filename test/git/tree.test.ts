import t from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import {
  directoryMode,
  fileMode,
  formatTree,
  gitlinkMode,
  isDirectory,
  isGitlink,
  isSymlink,
  parseTree,
  symlinkMode,
} from '../../src/git/tree.ts'

const id = 'ab'.repeat(20) as ObjectId

t.test('entries are put in the order of Git and come back byte for byte', async (t) => {
  const names = [
    ['foo', directoryMode],
    ['foo.txt', fileMode],
    ['foo-bar', fileMode],
    ['foo0', symlinkMode],
    ['\xff\xc3', gitlinkMode],
  ] as const
  const data = formatTree(names.map(([name, mode]) => ({ name, mode, id })))
  const entries = parseTree(data)
  t.same(
    entries.map((entry) => entry.name),
    ['foo-bar', 'foo.txt', 'foo', 'foo0', '\xff\xc3'],
  )
  t.ok(formatTree(entries).equals(data))
  t.same(
    entries.map((entry) => [isDirectory, isGitlink, isSymlink].findIndex((is) => is(entry.mode))),
    [-1, -1, 0, 2, 1],
  )
  t.same(parseTree(formatTree([])), [])
})

t.test('malformed trees throw', async (t) => {
  for (const text of ['x', '100644 a\0short', '9 a\0', '777777777777 a\0']) {
    t.throws(() => parseTree(Buffer.from(text)), { code: 'ObjectInvalid' })
  }
})
