import { spawnSync } from 'node:child_process'
import t from 'tap'
import { isDeletableRefName, isOneLevelRefName, isPushableRefName, isRefName } from '../../src/git/ref-name.ts'

const names = [
  ...['heads/main', 'main', 'a/b/c', 'a//b', '/a', 'a/', 'a/b.', 'a/.b', '.a/b', 'a./b', 'a/b.lock', 'a.lock/b'],
  ...['a..b/c', 'a/b~1', 'a/b^', 'a/b:c', 'a/b?', 'a/b*', 'a/[b', 'a/b]', 'a\\b/c', 'a/@{b', 'a/@', '@', '@/a'],
  ...['a b/c', 'a/b\t', 'a/b\x7f', 'a/ü', 'a/-b', 'a/{b}', 'a/b.lockx', '.lock/a', 'a/b@', ''],
]

t.test('names are judged as git judges them', (t) => {
  for (const name of names) {
    const check = (...flags: string[]) => spawnSync('git', ['check-ref-format', ...flags, name]).status === 0
    const latin1 = Buffer.from(name).toString('latin1')
    t.equal(isRefName(latin1), check(), name)
    t.equal(isOneLevelRefName(latin1), check('--allow-onelevel'), name)
  }
  t.end()
})

t.test('what a push may touch', (t) => {
  t.ok(isPushableRefName('refs/heads/main'))
  t.notOk(isPushableRefName('refs/main'))
  t.notOk(isPushableRefName('heads/main'))
  t.ok(isDeletableRefName('refs/main'))
  t.notOk(isDeletableRefName('HEAD'))
  t.end()
})
