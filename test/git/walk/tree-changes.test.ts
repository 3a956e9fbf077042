/** What each commit changed, compared with the sets of objects in its tree and its parents' trees. */
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../../src/bare/bare-repository.ts'
import { fairLoop } from '../../../src/git/fair-loop.ts'
import type { ObjectDatabase, Ordinal } from '../../../src/git/repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../../../src/git/tree.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { TreeChanges } from '../../../src/git/walk/tree-changes.ts'
import { makeHistory, temporaryFolder } from '../../support/git-client.ts'
import { makeHistory as makeNamedHistory } from '../../support/histories.ts'
import { made, makeTree, openObjects } from '../../support/objects.ts'

/** The tree and everything below it. */
function contentsOf(objects: ObjectDatabase, tree: Ordinal, into = new Set<Ordinal>()): Set<Ordinal> {
  if (into.has(tree)) return into
  into.add(tree)
  const cursor = new TreeCursor(objects.read(tree).data)
  while (cursor.next()) {
    if (isGitlink(cursor.mode)) continue
    const ordinal = objects.locate(cursor.data, cursor.idAt)
    if (isDirectory(cursor.mode)) contentsOf(objects, ordinal, into)
    else into.add(ordinal)
  }
  return into
}

async function checkHistory(objects: ObjectDatabase): Promise<{ commits: number; moved: number; wrong: string[] }> {
  const graph = new CommitGraph(objects)
  const changes = new TreeChanges(objects, fairLoop())
  const found = { commits: 0, moved: 0, wrong: [] as string[] }
  const must = (holds: boolean, what: string, commit: Ordinal) => {
    if (!holds) found.wrong.push(`${objects.idOf(commit)}: ${what}`)
  }
  for (let commit = 0; commit < objects.ordinalCount; commit++) {
    if (objects.stat(commit).type !== 'commit') continue
    found.commits++
    const parentTrees = graph.parentsOf(commit).map((parent) => graph.treeOf(parent))
    const own = contentsOf(objects, graph.treeOf(commit))
    const inherited = new Set(parentTrees.flatMap((tree) => [...contentsOf(objects, tree)]))
    await changes.compare(graph.treeOf(commit), parentTrees)
    const [introduced, replaced] = [new Set(changes.introduced), new Set(changes.replaced)]
    must(
      [...own].every((each) => inherited.has(each) || introduced.has(each)),
      'what is new is introduced',
      commit,
    )
    must(
      [...introduced].every((each) => own.has(each)),
      'only what the commit has is introduced',
      commit,
    )
    must(
      [...replaced].every((each) => inherited.has(each)),
      'only what a parent has is replaced',
      commit,
    )
    must(
      [...introduced].every((each) => !replaced.has(each)),
      'nothing is both',
      commit,
    )
    must(
      introduced.size === changes.introduced.length && replaced.size === changes.replaced.length,
      'once each',
      commit,
    )
    if ([...introduced].some((each) => inherited.has(each))) found.moved++
  }
  return found
}

for (const seed of [71, 72, 73]) {
  t.test(`history ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 150 })
    const repository = await openBareRepository(path)
    t.teardown(() => repository.close())
    const { commits, wrong } = await checkHistory(repository.objects)
    t.same(wrong, [])
    t.ok(commits >= 150)
  })
}

for (const name of ['renames', 'merges'] as const) {
  t.test(name, async (t) => {
    const repository = await openBareRepository(await makeNamedHistory(join(temporaryFolder(t), name), name))
    t.teardown(() => repository.close())
    const { moved, wrong } = await checkHistory(repository.objects)
    t.same(wrong, [])
    t.equal(moved, 0, 'what only moved is not introduced again')
  })
}

t.test('trees nested in more paths than can be walked', async (t) => {
  const trees = [makeTree({ file: made('blob', 'x') })]
  for (let depth = 0; depth < 30; depth++) trees.push(makeTree({ a: trees[depth], b: trees[depth], c: trees[depth] }))
  const other = makeTree({ file: made('blob', 'y') })
  const { objects, ordinalOf } = await openObjects([made('blob', 'x'), made('blob', 'y'), other, ...trees])
  const changes = new TreeChanges(objects, fairLoop())
  const [large, small] = [ordinalOf(trees[30]), ordinalOf(other)]
  await changes.compare(large, [small])
  t.equal(changes.introduced.length, 32)
  await changes.compare(small, [large])
  t.equal(changes.replaced.length, 32)
  await changes.compare(large, [large])
  t.same([...changes.introduced, ...changes.replaced], [])
})

t.test('a tree that refers to nothing here', async (t) => {
  const file = made('blob', 'x')
  const tree = makeTree({ file })
  const { objects, ordinalOf } = await openObjects([tree, made('blob', 'y')])
  const changes = new TreeChanges(objects, fairLoop())
  await t.rejects(changes.compare(ordinalOf(tree), []), { code: 'ObjectMissing', message: new RegExp(file.id) })
  await t.rejects(changes.compare(ordinalOf(made('blob', 'y')), []), { code: 'ObjectInvalid' })
})
