/** What a reader may see: what a ref leads to, and what one led to within the retention window. */
import t, { type Test } from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { findInvisibleIds, isCommitVisible, type VisibilityQuestion } from '../../src/hub/commit-visibility.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'
import { made, makeCommit, makeTag, makeTree } from '../support/objects.ts'
import { pushObjects, type Updates } from '../support/push-objects.ts'

const tree = makeTree()
const base = makeCommit(tree, [], 1)
const file = made('blob', 'of the first commit alone')
const folder = makeTree({ file })
const firstTree = makeTree({ folder })
const first = makeCommit(firstTree, [base], 2)
const second = makeCommit(tree, [base], 3)
const tag = makeTag(first)

/** `main` went from `first` to `second`; a tag of `first` was deleted. `agoSeconds` ago. */
async function openScene(t: Test, agoSeconds: number) {
  const hub = await openHouse(t)
  const empty = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const main = 'refs/heads/main'
  const begun: Updates = { [main]: [undefined, first.id], 'refs/tags/v1': [undefined, tag.id] }
  const before = await pushObjects(hub, empty, begun, [tree, base, file, folder, firstTree, first, tag])
  const { repo } = await pushObjects(hub, before.repo, { [main]: [first.id, second.id] }, [second])
  const gone = await pushObjects(hub, repo, { 'refs/tags/v1': [tag.id, undefined] })
  await hub.database.query('update ref_log set at = at - make_interval(secs => $1)', [agoSeconds])
  const ask = async <T>(question: (asked: Omit<VisibilityQuestion, 'ids'>) => Promise<T>) => {
    const refs = await hub.repositories.refs(gone.repo)
    return await hub.repositories.withObjects(gone.repo, (objects) => question({ objects, refs }))
  }
  return {
    hub,
    hidden: (...ids: ObjectId[]) => ask((asked) => findInvisibleIds(hub, gone.repo, { ...asked, ids })),
    isVisible: (commitId: ObjectId) => ask((asked) => isCommitVisible(hub, gone.repo, { ...asked, commitId })),
  }
}

const windowSeconds = 90 * 86_400

t.test('what refs left stays visible to the end of the retention window', async (t) => {
  const { hidden, isVisible } = await openScene(t, windowSeconds - 60)
  t.same(await hidden(base.id, first.id, second.id, tag.id), [])
  t.same(await hidden(file.id, folder.id, firstTree.id, tree.id), [])
  t.equal(await isVisible(first.id), true)
})

t.test('and not beyond it; what a ref leads to is visible however old it is', async (t) => {
  const { hidden, isVisible } = await openScene(t, windowSeconds + 60)
  t.same(await hidden(base.id, first.id, second.id, tag.id), [first.id, tag.id])
  t.same(await hidden(tree.id, file.id, folder.id, firstTree.id), [file.id, folder.id, firstTree.id])
  t.equal(await isVisible(first.id), false)
  t.equal(await isVisible(base.id), true)
  t.same(await hidden(first.id), [first.id], 'a no is not remembered as a yes')
})

t.test('trees, what is absent and tags are no visible commits', async (t) => {
  const { hidden, isVisible } = await openScene(t, 0)
  const absent = 'f'.repeat(40) as ObjectId
  t.same(await hidden(absent, second.id, tree.id), [absent])
  t.same(await hidden(), [])
  for (const id of [absent, tree.id, tag.id]) t.equal(await isVisible(id), false)
})

t.test('a yes in one repository says nothing about another that holds the same object', async (t) => {
  const { hub, hidden } = await openScene(t, 0)
  t.same(await hidden(first.id), [])
  const other = await addRepo(hub, await addPerson(hub, 'bob'), 'model')
  // A push that brings a commit which no ref of its own leads to.
  const { repo } = await pushObjects(hub, other, { 'refs/heads/main': [undefined, second.id] }, [
    tree,
    base,
    file,
    folder,
    firstTree,
    first,
    second,
  ])
  const refs = await hub.repositories.refs(repo)
  const ids = [first.id, second.id]
  const found = await hub.repositories.withObjects(repo, (objects) =>
    findInvisibleIds(hub, repo, { objects, refs, ids }),
  )
  t.same(found, [first.id])
})
