import t from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { RefList, refsPerPage } from '../../src/git/ref-list.ts'
import type { Ref } from '../../src/git/repository.ts'
import { seededRandom } from '../support/git-client.ts'

const refOf = (name: string, digit = 'a'): Ref => ({ name, id: digit.repeat(40) as ObjectId, peeledId: undefined })
const names = ['refs/heads/a', 'refs/heads/a-b', 'refs/heads/a/b', 'refs/heads/b', 'refs/heads/\xe9', 'refs/tags/a']
const refs = RefList.of(names.map((name) => refOf(name)))
const found = (...prefixes: string[]) => [...refs.withPrefixes(prefixes)].map(({ name }) => name)

t.test('prefixes', async (t) => {
  t.same(found('refs/heads/'), names.slice(0, 5))
  t.same(found('refs/tags/', 'refs/heads/a'), [names[0], names[1], names[2], names[5]])
  t.same(found('refs/heads/a', 'refs/', 'refs/heads/', 'refs/heads/a'), names, 'each once')
  t.same(found(''), names)
  t.same(found('HEAD', 'refs/x', 'zzz', 'refs/heads/a/b/c'), [])
  t.same(found('b', 'refs/b', 'refs/tags/b', 'refs/heads/b', 'refs/remotes/b', 'refs/remotes/b/HEAD'), ['refs/heads/b'])
  t.same(refs.get('refs/heads/\xe9'), refOf(names[4]))
  t.equal(refs.get('refs/heads/'), undefined)
  t.equal(refs.get('refs/zzz'), undefined)
  t.equal(RefList.of([]).get('refs/heads/a'), undefined)
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
      [...RefList.of(before).withPrefixes(prefixes)],
      before.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix))),
    )
    const changes = [...new Set(Array.from({ length: round % 7 }, word))].sort().map((name) => {
      const ref = random() < 0.4 ? undefined : refOf(name, 'b')
      if (ref === undefined) known.delete(name)
      else known.set(name, ref)
      return { name, ref }
    })
    t.same([...RefList.of(before).changed(changes)], inOrder(known))
  }
})

t.test('over many pages, it is what an array of the refs would be', async (t) => {
  const random = seededRandom(11)
  const digits = () => Math.floor(random() * 2 ** 32).toString(16)
  const newId = () => digits().padEnd(40, '5') as ObjectId
  const newRef = (): Ref => ({
    name: `refs/${random() < 0.5 ? 'heads' : 'tags'}/${digits()}\xe9`,
    id: newId(),
    peeledId: random() < 0.01 ? newId() : undefined,
  })
  const inOrder = (known: Map<string, Ref>) => [...known.values()].sort((x, y) => (x.name < y.name ? -1 : 1))
  const known = new Map(Array.from({ length: 3 * refsPerPage }, newRef).map((ref) => [ref.name, ref]))
  let list = RefList.of(inOrder(known))
  for (let round = 0; round < 12; round++) {
    const before = inOrder(known)
    const gone = before.filter(() => random() < 0.1).map(({ name }) => ({ name, ref: undefined }))
    const come = Array.from({ length: round === 5 ? 5 * refsPerPage : 300 }, newRef).map((ref) => ({
      name: ref.name,
      ref,
    }))
    const changes = new Map([...gone, ...come].map((change) => [change.name, change]))
    for (const { name, ref } of changes.values()) ref === undefined ? known.delete(name) : known.set(name, ref)
    list = list.changed([...changes.values()].sort((x, y) => (x.name < y.name ? -1 : 1)))
    const after = inOrder(known)
    t.equal(list.length, after.length)
    t.same([...list], after)
    t.same(
      list.ids(),
      after.map(({ id }) => id),
    )
    t.same(
      list.annotated(),
      after.filter(({ peeledId }) => peeledId !== undefined),
    )
    t.same(
      [...list.withPrefixes(['refs/tags/'])],
      after.filter(({ name }) => name.startsWith('refs/tags/')),
    )
    t.same(
      [...list.filter(({ id }) => id > '8')],
      after.filter(({ id }) => id > '8'),
    )
    const [first, tag] = [after[Math.floor(random() * after.length)], list.annotated()[0]]
    t.same(list.get(first.name), first)
    const absent = newId()
    t.same(list.withoutTips([first.id, absent, tag.id, tag.peeledId ?? tag.id]), [absent])
  }
})

t.test('columns as the database gives them', async (t) => {
  const columns = (names: string[], digits: string, peeled?: string) => ({
    names: Buffer.from(names.join('\n'), 'latin1'),
    ids: Buffer.from([...digits].map((digit) => digit.repeat(40)).join(''), 'hex'),
    peeledIds:
      peeled === undefined ? undefined : Buffer.from([...peeled].map((digit) => digit.repeat(40)).join(''), 'hex'),
  })
  const list = RefList.fromColumns([columns(['a/\xff', 'b'], '12'), columns(['c', 'd', 'e'], '345', '060')])
  t.same(
    [...list],
    [
      refOf('a/\xff', '1'),
      refOf('b', '2'),
      refOf('c', '3'),
      { ...refOf('d', '4'), peeledId: '6'.repeat(40) },
      refOf('e', '5'),
    ],
  )
  t.equal(list.length, 5)
  t.equal(RefList.fromColumns([]).length, 0)
})
