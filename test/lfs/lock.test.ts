import t from 'tap'
import { findPathFault, writeLock } from '../../src/lfs/lock.ts'

t.test('a lock is written with its time to the second', async (t) => {
  const lockedAt = new Date('2026-05-17T15:49:06.789Z')
  t.same(writeLock({ lockId: 'x', path: 'ä b.bin', lockedAt, ownerName: 'ada' }), {
    id: 'x',
    path: 'ä b.bin',
    locked_at: '2026-05-17T15:49:06Z',
    owner: { name: 'ada' },
  })
})

t.test('paths of files may be locked, and nothing else', async (t) => {
  for (const path of ['a', 'foo/bar.zip', 'mit leer zeichen/ünï☃.bin', '...', 'a..b', '-rf', 'a\tb']) {
    t.equal(findPathFault(path, 100), undefined, path)
  }
  for (const path of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a\0b', '\ud800']) {
    t.type(findPathFault(path, 100), 'string', JSON.stringify(path))
  }
  t.equal(findPathFault('ä'.repeat(50), 100), undefined)
  t.type(findPathFault(`${'ä'.repeat(50)}a`, 100), 'string')
})
