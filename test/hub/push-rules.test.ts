/** Rules about refs alone. What git shows of them is tested in push.test.ts. */
import t from 'tap'
import type { RefRule } from '../../src/database/ref-rules.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import type { RefCommand } from '../../src/git/repository.ts'
import type { Role } from '../../src/hub/principal.ts'
import { checkTargets, findRuleObjection, isForceRuled, refuseByName } from '../../src/hub/push-rules.ts'
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

t.test('what each rule says, and to whom', async (t) => {
  const name = 'refs/heads/main'
  const [create, update, remove] = [
    { name, oldId: undefined, newId: id },
    { name, oldId: id, newId: id },
    { name, oldId: id, newId: undefined },
  ]
  const say = (rule: Omit<RefRule, 'pattern'>, command: RefCommand, access: Role, isForced = false) =>
    findRuleObjection([{ pattern: 'refs/heads/*', ...rule }], command, { access, isForced })?.reason
  const declined = 'protected branch hook declined'
  for (const command of [create, update, remove]) {
    t.equal(say({}, command, 'write', true), undefined)
    t.equal(say({ push: 'admin' }, command, 'write'), declined)
    t.equal(say({ push: 'admin' }, command, 'admin'), undefined)
    t.equal(say({ push: 'nobody' }, command, 'admin'), declined)
    t.equal(say({ hidden: true }, command, 'write'), undefined)
  }
  t.equal(say({ noDeletion: true }, remove, 'admin'), 'deletion prohibited')
  t.equal(say({ noDeletion: true }, update, 'write'), undefined)
  t.equal(say({ fastForwardOnly: true }, update, 'admin', true), 'non-fast-forward')
  t.equal(say({ fastForwardOnly: true }, update, 'write', false), undefined)
  t.equal(say({ hidden: true }, update, 'read'), 'deny updating a hidden ref')
  t.equal(say({ hidden: true }, remove, 'read'), 'deny deleting a hidden ref')
  t.equal(
    findRuleObjection([{ pattern: 'refs/tags/*', push: 'nobody' }], update, { access: 'write', isForced: true }),
    undefined,
  )
})

t.test(
  'the first rule that speaks against a command says so; ancestry is asked only where a rule wants it',
  async (t) => {
    const rules: RefRule[] = [
      { pattern: 'refs/heads/gr\xc3\xb6\xc3\x9fe', noDeletion: true },
      { pattern: 'refs/heads/*', fastForwardOnly: true },
    ]
    const name = 'refs/heads/gr\xc3\xb6\xc3\x9fe'
    const other = 'b'.repeat(40) as ObjectId
    t.same(findRuleObjection(rules, { name, oldId: id, newId: undefined }, { access: 'admin', isForced: false }), {
      reason: 'deletion prohibited',
      explanation: 'error: refs/heads/größe may not be deleted (rule for refs/heads/größe)\n',
    })
    t.ok(isForceRuled(rules, { name, oldId: id, newId: other }))
    t.notOk(isForceRuled(rules, { name, oldId: id, newId: id }))
    t.notOk(isForceRuled(rules, { name, oldId: undefined, newId: id }))
    t.notOk(isForceRuled(rules, { name: 'refs/tags/v1', oldId: id, newId: other }))
  },
)
