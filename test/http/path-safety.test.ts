import t from 'tap'
import { isSafePath, pathOf } from '../../src/http/path-safety.ts'

t.test('paths', async (t) => {
  for (const path of [
    '/',
    '/a/b',
    '/a/b.git/info/refs',
    '/a/..b/c',
    '/a/.../b',
    '/a/%20b',
    '/a/refs%2Fpr%2F1',
    '/a/%25',
  ]) {
    t.ok(isSafePath(path), path)
  }
  for (const path of [
    '/a/../b',
    '/..',
    '/a/./b',
    '/a/%2e%2e/b',
    '/a/.%2E',
    '/a/x%2F..%2Fb',
    '/a/%00',
    '/a/%zz',
    '/%ff',
  ]) {
    t.notOk(isSafePath(path), path)
  }
  t.equal(pathOf('/a/b?c=/../d'), '/a/b')
})
