/** Complete side-cars: what commits changed, by whichever pack says it. */
import { join } from 'node:path'
import t from 'tap'
import { fairLoop } from '../../../src/git/fair-loop.ts'
import { completeReceived, completeSideCar } from '../../../src/git/pack/complete-side-car.ts'
import { formatFreshPack } from '../../../src/git/pack/fresh-pack.ts'
import { PackFile } from '../../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../../src/git/pack/pack-index.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { SideCar } from '../../../src/git/pack/side-car.ts'
import { emptyCommitRow, type ObjectDatabase, type Ordinal } from '../../../src/git/repository.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { TreeChanges } from '../../../src/git/walk/tree-changes.ts'
import { makeHistory, temporaryFolder } from '../../support/git-client.ts'
import { made, makeCommit, makeTree, openReceived } from '../../support/objects.ts'
import { held, middleOf, packOf, receiveBytes, receiveInTwo } from '../../support/two-packs.ts'

const visited = (visit: (commit: Ordinal, each: (ordinal: Ordinal) => void) => boolean, commit: Ordinal) => {
  const ordinals: Ordinal[] = []
  return visit(commit, (ordinal) => ordinals.push(ordinal)) ? ordinals.sort((a, b) => a - b) : undefined
}

/** What is wrong with the lists of the commits from ordinal `from` on. */
async function findWrong(objects: ObjectDatabase, from = 0): Promise<{ wrong: string[]; commits: number }> {
  const graph = new CommitGraph(objects)
  const changes = new TreeChanges(objects, fairLoop())
  const wrong: string[] = []
  let commits = 0
  for (let ordinal = from; ordinal < objects.ordinalCount; ordinal++) {
    const commit = objects.locate(Buffer.from(objects.idOf(ordinal), 'hex'))
    if (objects.stat(commit).type !== 'commit') continue
    commits++
    await changes.compare(
      graph.treeOf(commit),
      graph.parentsOf(commit).map((parent) => graph.treeOf(parent)),
    )
    const sorted = (list: readonly Ordinal[]) => [...list].sort((a, b) => a - b)
    const introduced = visited((...args) => objects.visitIntroduced(...args), commit)
    const replaced = visited((...args) => objects.visitReplaced(...args), commit)
    if (String(introduced) !== String(sorted(changes.introduced))) wrong.push(`${objects.idOf(commit)} introduced`)
    if (String(replaced) !== String(sorted(changes.replaced))) wrong.push(`${objects.idOf(commit)} replaced`)
  }
  return { wrong, commits }
}

for (const seed of [81, 82]) {
  t.test(`history ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 120 })
    const [first, second] = await receiveInTwo(path)
    const complete = async (part: typeof first, others: PackSet) => {
      const received = await completeReceived(part.received, {
        bytes: part.spool.file,
        surroundings: others,
        isBounded: true,
      })
      return openReceived(received, part.spool.file)
    }
    const lower = await complete(first, new PackSet([], held))
    const upper = await complete(second, new PackSet([lower], held))
    const objects = new PackSet([lower, upper], held)
    const { wrong, commits } = await findWrong(objects)
    t.same(wrong, [])
    t.ok(commits >= 120)

    await t.test('taken over into a pack that holds it all again', async (t) => {
      const whole = await receiveBytes(packOf(path, [], '--all'), [])
      const sideCar = new SideCar(await completeSideCar(whole.pack, objects), whole.pack.index)
      const merged = new PackFile(whole.pack.index, whole.spool.file, false, sideCar)
      t.same((await findWrong(new PackSet([merged], held))).wrong, [])
    })

    await t.test('computed where older packs know nothing', async (t) => {
      const sideCar = new SideCar(await completeSideCar(second.pack, new PackSet([first.plain], held)), upper.index)
      const alone = new PackFile(upper.index, second.spool.file, true, sideCar)
      const from = first.plain.index.objectCount
      t.same((await findWrong(new PackSet([first.plain, alone], held), from)).wrong, [])
      const row = emptyCommitRow()
      const tip = new PackSet([first.plain, alone], held)
      for (let ordinal = from; ordinal < tip.ordinalCount; ordinal++) {
        if (tip.readCommitRow(ordinal, row)) t.equal(row.generation, 0)
      }
    })
  })
}

t.test('where something is nowhere, the side-car stays as it is', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 83, commits: 60 })
  const { received, spool } = await receiveBytes(packOf(path, ['--not', await middleOf(path)], '--all'), [])
  t.equal(
    await completeReceived(received, { bytes: spool.file, surroundings: new PackSet([], held), isBounded: true }),
    received,
  )
})

t.test('commits that exchange one large tree for another, again and again', async (t) => {
  const files = (name: string) =>
    Array.from({ length: 2_000 }, (_, number) => [`${name}-${number}`, made('blob', `${name} ${number}`)] as const)
  const [left, right] = [files('left'), files('right')]
  const trees = [left, right].map((each) => makeTree(Object.fromEntries(each)))
  const commits = [makeCommit(trees[0], [], 1)]
  for (let second = 2; second <= 400; second++) {
    commits.push(makeCommit(trees[second % 2], [commits[commits.length - 1]], second))
  }
  const blobs = [...left, ...right].map(([, blob]) => blob)
  const { received, spool } = await receiveBytes(formatFreshPack([...blobs, ...trees, ...commits]), [])
  const options = { bytes: spool.file, surroundings: new PackSet([], held), isBounded: true }
  const { sideCar } = await completeReceived(received, options)
  const opened = new SideCar(sideCar, new PackIndex(received.index))
  t.notOk(opened.hasChanges, 'would list some million objects')
  t.ok(opened.tables.generations.every((generation) => generation > 0))
})
