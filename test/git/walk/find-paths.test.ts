/** The paths that a refused push names: what stands in the terminal must lead to the file, whatever was pushed. */
import t from 'tap'
import { objectIdAt } from '../../../src/git/object-id.ts'
import { findPaths } from '../../../src/git/walk/find-paths.ts'
import { made, makeCommit, makeTag, makeTree, openObjects } from '../../support/objects.ts'

const weights = made('blob', 'weights')
const folder = makeTree({ 'model.bin': weights })
const root = makeTree({ 'a.txt': made('blob', 'a'), [Buffer.from('näh').toString('latin1')]: folder })
const old = makeCommit(root)
const tip = makeCommit(makeTree(), [old])
const history = [made('blob', 'a'), weights, folder, root, makeTree(), old, tip]

t.test('a file is found in folders, and in commits below the tip', async (t) => {
  const { objects } = await openObjects(history)
  const found = await findPaths(objects, [tip.id], [weights.id])
  t.equal(Buffer.from(found.get(weights.id) ?? '', 'latin1').toString(), 'näh/model.bin')
})

t.test('tags lead to the files as branches do: of commits, of tags, of trees', async (t) => {
  for (const target of [tip, makeTag(tip), root]) {
    const tag = makeTag(target, 'outer')
    const { objects } = await openObjects([...history, target, tag])
    const found = await findPaths(objects, [tag.id], [weights.id])
    t.match(found.get(weights.id), /\/model\.bin$/, `a tag of a ${target.type}`)
  }
})

t.test('a tip that is itself a file too large to be held is passed over', async (t) => {
  const large = made('blob', Buffer.alloc(2_000))
  const { objects } = await openObjects([...history, large], 1_000)
  const found = await findPaths(objects, [large.id, old.id], [large.id, weights.id])
  t.same([...found.keys()], [weights.id])
})

t.test('what is nowhere, and what is absent, is left out', async (t) => {
  const { objects } = await openObjects(history)
  const absent = objectIdAt(Buffer.alloc(20, 7))
  t.equal((await findPaths(objects, [tip.id, absent], [absent])).size, 0)
  t.equal((await findPaths(objects, [], [weights.id])).size, 0)
})
