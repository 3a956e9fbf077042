/** What moving and reading refs promises, whoever keeps them. */
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import type { RefCommand } from '../../src/git/repository.ts'
import { type Adapted, packOf, push, readRefs, refCommandsOf } from '../support/adapters.ts'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'

/** `adapted` is empty, and filled here. */
export async function refDatabaseContract(t: Test, adapted: Adapted): Promise<void> {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 98, commits: 30 })
  const [tip, before] = (await git(source, 'rev-list', '-2', 'main')).split('\n') as ObjectId[]
  const tree = (await git(source, 'rev-parse', 'main^{tree}')) as ObjectId
  const create = (name: string, newId = tip): RefCommand => ({ name, oldId: undefined, newId })
  const update = (name: string, oldId: ObjectId, newId: ObjectId): RefCommand => ({ name, oldId, newId })
  const remove = (name: string, oldId = tip): RefCommand => ({ name, oldId, newId: undefined })
  /** Which of the commands were granted. */
  const tryPush = async (commands: RefCommand[], options?: Parameters<typeof push>[2]) =>
    (await push(adapted, commands, options)).results.map(({ reason }) => reason === undefined)
  const idOf = async (name: string) => (await readRefs(adapted)).refs.get(name)?.id

  await t.test('HEAD waits for its branch to be born', async (t) => {
    const { refs, ...head } = await readRefs(adapted)
    t.same(head, { headTarget: 'refs/heads/main', headId: undefined })
    t.equal(refs.length, 0)
  })

  await t.test('what is pushed is read, in byte order and peeled', async (t) => {
    const commands = await refCommandsOf(source)
    t.notOk((await tryPush(commands, { pack: packOf(source) })).includes(false))
    const { headId, headTarget, refs } = await readRefs(adapted)
    t.same([headTarget, headId], ['refs/heads/main', tip])
    const expected = await git(source, 'for-each-ref', '--format=%(refname)')
    t.same(
      refs.map(({ name }) => name),
      expected.split('\n'),
    )
    for (const { name, peeledId, id } of refs) {
      const peeled = await git(source, 'rev-parse', `${name}^{}`)
      t.equal(peeledId ?? id, peeled, name)
    }
  })

  await t.test('a ref moves only from where it was said to be', async (t) => {
    t.same(await tryPush([create('refs/heads/a')]), [true])
    t.same(await tryPush([create('refs/heads/a', before)]), [false])
    t.same(await tryPush([update('refs/heads/a', before, before)]), [false])
    t.same(await tryPush([remove('refs/heads/a', before)]), [false])
    t.equal(await idOf('refs/heads/a'), tip)
    t.same(await tryPush([update('refs/heads/a', tip, before)]), [true])
    t.equal(await idOf('refs/heads/a'), before)
    t.same(await tryPush([remove('refs/heads/a', before)]), [true])
    t.equal(await idOf('refs/heads/a'), undefined)
    t.same(await tryPush([update('refs/heads/a', tip, before)]), [false])
  })

  await t.test('no ref is a folder of another', async (t) => {
    t.same(await tryPush([create('refs/heads/d')]), [true])
    t.same(await tryPush([create('refs/heads/d/e')]), [false])
    t.same(await tryPush([create('refs/heads/f/g/h')]), [true])
    t.same(await tryPush([create('refs/heads/f'), create('refs/heads/f/g')]), [false, false])
    t.same(await tryPush([remove('refs/heads/d'), create('refs/heads/d/e')]), [true, true])
    t.same(await tryPush([remove('refs/heads/d/e')]), [true])
    t.same(await tryPush([create('refs/heads/d')]), [true], 'the empty folder is no obstacle')
    t.equal((await tryPush([create('refs/heads/k'), create('refs/heads/k/l')])).filter(Boolean).length, 1)
  })

  await t.test('an atomic push is all or nothing', async (t) => {
    const names = ['refs/heads/p', 'refs/heads/q', 'refs/tags/r']
    const good = names.map((name) => create(name))
    t.same(await tryPush([...good, update('refs/heads/main', before, before)], { atomic: true }), Array(4).fill(false))
    t.same(await tryPush([...good, create('refs/heads/d/x')], { atomic: true }), Array(4).fill(false))
    for (const name of names) t.equal(await idOf(name), undefined)
    t.same(await tryPush(good, { atomic: true }), Array(3).fill(true))
    for (const name of names) t.equal(await idOf(name), tip)
  })

  await t.test('a branch points to a commit, another ref to anything that is there', async (t) => {
    t.same(await tryPush([create('refs/heads/tree', tree), create('refs/tags/tree', tree)]), [false, true])
    t.same(await tryPush([create('refs/tags/absent', 'a'.repeat(40) as ObjectId)]), [false])
  })

  await t.test('names are bytes', async (t) => {
    const name = 'refs/heads/\xe9\xff-\u00fc'
    t.same(await tryPush([create(name)]), [true])
    t.equal(await idOf(name), tip)
    t.same(await tryPush([remove(name)]), [true])
  })

  await t.test('of sixteen that move one ref at once one wins', async (t) => {
    const results = await Promise.all(Array.from({ length: 16 }, () => tryPush([create('refs/heads/contested')])))
    t.equal(results.flat().filter(Boolean).length, 1)
    const moves = await Promise.all(
      Array.from({ length: 16 }, () => tryPush([update('refs/heads/contested', tip, before)])),
    )
    t.equal(moves.flat().filter(Boolean).length, 1)
    t.equal(await idOf('refs/heads/contested'), before)
  })

  await t.test('of what is deleted nothing is left', async (t) => {
    const { refs } = await readRefs(adapted)
    const results = await tryPush(refs.map(({ name, id }) => remove(name, id)))
    t.equal(results.filter((isGranted) => !isGranted).length, 1)
    const left = (await readRefs(adapted)).refs.map(({ name }) => name)
    t.same(left, ['refs/heads/main'], 'the current branch stays')
  })
}
