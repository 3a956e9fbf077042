import t from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { changeRefs, findRef, refsWithPrefixes } from '../../src/git/ref-order.ts'
import type { Ref } from '../../src/git/repository.ts'
import { seededRandom } from '../support/git-client.ts'

const refOf = (name: string, digit = 'a'): Ref => ({ name, id: digit.repeat(40) as ObjectId, peeledId: undefined })
const names = ['refs/heads/a', 'refs/heads/a-b', 'refs/heads/a/b', 'refs/heads/b', 'refs/heads/\xe9', 'refs/tags/a']
const refs = names.map((name) => refOf(name))
const found = (...prefixes: string[]) => [...refsWithPrefixes(refs, prefixes)].map(({ name }) => name)

t.test('prefixes', async (t) => {
  t.same(found('refs/heads/'), names.slice(0, 5))
  t.same(found('refs/tags/', 'refs/heads/a'), [names[0], names[1], names[2], names[5]])
  t.same(found('refs/heads/a', 'refs/', 'refs/heads/', 'refs/heads/a'), names, 'each once')
  t.same(found(''), names)
  t.same(found('HEAD', 'refs/x', 'zzz', 'refs/heads/a/b/c'), [])
  t.same(found('b', 'refs/b', 'refs/tags/b', 'refs/heads/b', 'refs/remotes/b', 'refs/remotes/b/HEAD'), ['refs/heads/b'])
  t.equal(findRef(refs, 'refs/heads/\xe9'), refs[4])
  t.equal(findRef(refs, 'refs/heads/'), undefined)
  t.equal(findRef([], 'refs/heads/a'), undefined)
})

t.test('prefixes as a scan finds them, and changes as a map takes them', async (t) => {
  const random = seededRandom(7)
  const word = () =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => 'ab/'[Math.floor(random() * 3)]).join('')
  const inOrder = (known: Map<string, Ref>) => [...known.values()].sort((x, y) => (x.name < y.name ? -1 : 1))
  for (let round = 0; round < 500; round++) {
    const known = new Map(Array.from({ length: round % 20 }, word).map((name) => [name, refOf(name)]))
    const before = inOrder(known)
    const prefixes = Array.from({ length: 1 + (round % 4) }, word)
    t.same(
      [...refsWithPrefixes(before, prefixes)],
      before.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix))),
    )
    const changes = [...new Set(Array.from({ length: round % 7 }, word))].sort().map((name) => {
      const ref = random() < 0.4 ? undefined : refOf(name, 'b')
      if (ref === undefined) known.delete(name)
      else known.set(name, ref)
      return { name, ref }
    })
    t.same(changeRefs(before, changes), inOrder(known))
  }
})
