import t from 'tap'
import { matchesPattern } from '../../src/hub/ref-pattern.ts'

t.test('a pattern is a name, in which a star stands for any characters', async (t) => {
  const cases: [pattern: string, matching: string[], others: string[]][] = [
    ['refs/heads/main', ['refs/heads/main'], ['refs/heads/main2', 'refs/heads/mai', 'refs/heads/main/x']],
    ['refs/heads/release/*', ['refs/heads/release/1', 'refs/heads/release/1/a'], ['refs/heads/release']],
    ['refs/*', ['refs/heads/a', 'refs/tags/b'], ['HEAD']],
    ['refs/heads/*-rc', ['refs/heads/1-rc', 'refs/heads/a/b-rc'], ['refs/heads/rc', 'refs/heads/1-rc2']],
    ['refs/*/a*a', ['refs/heads/aa', 'refs/heads/aba', 'refs/x/y/a-a'], ['refs/heads/a', 'refs/a/ba']],
    ['a*b*b', ['abb', 'a-b-b'], ['ab', 'abx']],
    ['a**b', ['ab', 'axb'], ['a']],
    ['refs/heads/a.b', ['refs/heads/a.b'], ['refs/heads/axb']],
  ]
  for (const [pattern, matching, others] of cases) {
    for (const name of matching) t.ok(matchesPattern(pattern, name), `${pattern} ${name}`)
    for (const name of others) t.notOk(matchesPattern(pattern, name), `${pattern} ${name}`)
  }
})

t.test('a pattern of many stars costs no more than its length', async (t) => {
  const begin = process.cpuUsage()
  t.notOk(matchesPattern(`${'a*'.repeat(400)}b`, `${'a'.repeat(1000)}c`))
  t.ok(process.cpuUsage(begin).user < 100_000)
})
