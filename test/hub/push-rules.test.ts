/** Rules about refs alone. What git shows of them is tested in push.test.ts. */
import t from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { checkTargets, refuseByName } from '../../src/hub/push-rules.ts'
import { made, makeCommit, makeTag, makeTree, openObjects } from '../support/objects.ts'

const id = 'a'.repeat(40) as ObjectId

t.test('refs outside refs/ are refused by name', async (t) => {
  const refusal = (name: string) => refuseByName({ name, oldId: id, newId: id })
  t.equal(refusal('HEAD'), 'funny refname')
  t.equal(refusal('refs'), 'funny refname')
  t.equal(refusal('refs/heads/main'), undefined)
  t.equal(refusal('refs/notes/commits'), undefined)
})

t.test('a branch is a commit; other refs may be anything that is here', async (t) => {
  const tree = makeTree()
  const commit = makeCommit(tree)
  const inner = makeTag(commit, 'inner')
  const tag = makeTag(inner, 'outer')
  const third = makeTag(tag, 'third')
  const blob = made('blob', 'x')
  const { objects } = await openObjects([tree, commit, inner, tag, third, blob])
  const check = (name: string, newId: ObjectId | undefined) => {
    const { checked, refused } = checkTargets(objects, [{ name, oldId: undefined, newId }], 2)
    return refused[0]?.reason ?? { peeledId: checked[0].peeledId }
  }
  t.same(check('refs/heads/a', commit.id), { peeledId: undefined })
  t.match(check('refs/heads/a', tag.id), /a branch must point to a commit/)
  t.match(check('refs/heads/a', tree.id), /a branch must point to a commit/)
  t.same(check('refs/tags/a', tag.id), { peeledId: commit.id }, 'peeled to the end')
  for (const object of [tree, blob, commit]) t.same(check('refs/tags/a', object.id), { peeledId: undefined })
  t.equal(check('refs/tags/a', id), 'missing necessary objects')
  t.same(check('refs/heads/a', undefined), { peeledId: undefined }, 'a deletion has no target')
  t.equal(check('refs/tags/a', third.id), 'too many tags of tags')
})

t.test('without a pack nothing but deletions can be tried', async (t) => {
  const commands = [
    { name: 'refs/heads/a', oldId: id, newId: undefined },
    { name: 'refs/heads/b', oldId: undefined, newId: id },
  ]
  const { checked, refused } = checkTargets(undefined, commands, 2)
  t.same(
    checked.map(({ name }) => name),
    ['refs/heads/a'],
  )
  t.same(refused, [{ name: 'refs/heads/b', reason: 'missing necessary objects' }])
})
