/**
 * Selection by what side-cars note, on random histories with wrong clocks: what the client then has is whole, and it is
 * sent nothing that it did not ask for. Where it has nothing, exactly what a walk of trees selects.
 */
import { join } from 'node:path'
import t from 'tap'
import type { ObjectDatabase, Ordinal } from '../../../src/git/repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../../../src/git/tree.ts'
import { findNonAncestors } from '../../../src/git/walk/ancestry.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { findNewCommits } from '../../../src/git/walk/new-commits.ts'
import { noFilter, type ObjectFilter } from '../../../src/git/walk/object-filter.ts'
import { selectObjects } from '../../../src/git/walk/select-objects.ts'
import { git, makeHistory, seededRandom, temporaryFolder } from '../../support/git-client.ts'
import { receiveComplete } from '../../support/two-packs.ts'

/** All that the commits lead to, as far as their history is not cut. */
function closureOf(objects: ObjectDatabase, tips: readonly Ordinal[], cuts: readonly Ordinal[]): Set<Ordinal> {
  const graph = new CommitGraph(objects)
  graph.cut(cuts)
  const reached = new Set<Ordinal>()
  const open = [...tips]
  for (let commit = open.pop(); commit !== undefined; commit = open.pop()) {
    if (reached.has(commit)) continue
    reached.add(commit)
    open.push(...graph.parentsOf(commit))
    addTree(objects, graph.treeOf(commit), reached)
  }
  return reached
}

function addTree(objects: ObjectDatabase, tree: Ordinal, into: Set<Ordinal>): void {
  if (into.has(tree)) return
  into.add(tree)
  const cursor = new TreeCursor(objects.read(tree).data)
  while (cursor.next()) {
    if (isGitlink(cursor.mode)) continue
    const ordinal = objects.locate(cursor.data, cursor.idAt)
    if (isDirectory(cursor.mode)) addTree(objects, ordinal, into)
    else into.add(ordinal)
  }
}

const withoutBlobs: ObjectFilter = { ...noFilter, blobMaxBytes: 0 }
const filters: ObjectFilter[] = [noFilter, withoutBlobs, { ...noFilter, blobMaxBytes: 200 }]

for (const seed of [91, 92, 93, 94]) {
  t.test(`history ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 150 })
    const { noted, plain } = await receiveComplete(path)
    const random = seededRandom(seed)
    const commits = [...Array(noted.ordinalCount).keys()].filter((each) => plain.typeOf(each) === 'commit')
    const pick = (count: number) => Array.from({ length: count }, () => commits[Math.floor(random() * commits.length)])
    const missing = (needed: Iterable<Ordinal>, ...have: Iterable<Ordinal>[]) => {
      const all = new Set(have.flatMap((each) => [...each]))
      return [...needed].filter((each) => !all.has(each)).map((each) => noted.idOf(each))
    }

    for (let round = 0; round < 20; round++) {
      const [wants, haves] = [pick(1 + (round % 3)), pick(round % 4)]
      // Cuts as a shallow client has them, or is to have.
      const cuts = round % 5 < 3 ? [] : pick(3)
      const graph = new CommitGraph(noted)
      graph.cut(cuts)
      const { ordinals, isClientKnown } = await selectObjects(noted, { wants, haves, graph })
      const held = closureOf(noted, haves, cuts)
      const wanted = closureOf(noted, wants, cuts)
      t.same(missing(wanted, held, ordinals), [], 'nothing is missing')
      t.same(missing(ordinals, wanted), [], 'nothing is sent that was not asked for')
      const known = [...Array(noted.ordinalCount).keys()].filter((each) => isClientKnown(each))
      t.same(missing(known, held), [], 'what counts as known is there')
    }

    for (const end of pick(5)) {
      // A client that has one commit without its parents, and now asks for all that came before.
      const graph = new CommitGraph(noted)
      const wants = graph.trueParentsOf(end)
      graph.cut([end])
      const { ordinals } = await selectObjects(noted, { wants, haves: [end], graph })
      const sent = new Set(ordinals)
      const held = [...closureOf(noted, [end], [end])]
      t.same(missing(closureOf(noted, wants, []), held, sent), [], 'nothing is missing')
      t.notOk(
        held.some((each) => sent.has(each)),
        'nothing is sent again',
      )
    }

    for (const filter of filters) {
      const wants = pick(2)
      const [byNotes, byTrees] = [noted, plain].map((objects) => selectObjects(objects, { wants, haves: [], filter }))
      t.same((await byNotes).ordinals, (await byTrees).ordinals, 'the same as by trees')
    }
  })

  t.test(`history ${seed}: generations say the same as git`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 150 })
    const { noted } = await receiveComplete(path)
    const random = seededRandom(seed)
    const list = async (...args: string[]) => (await git(path, 'rev-list', ...args)).split('\n').sort()
    const commits = await list('--all')
    const pick = () => commits[Math.floor(random() * commits.length)]
    const ordinal = (id: string) => noted.locate(Buffer.from(id, 'hex'))
    for (let round = 0; round < 15; round++) {
      const [first, second, have] = [pick(), pick(), pick()]
      const graph = new CommitGraph(noted)
      const range = await findNewCommits(graph, { wants: [first, second].map(ordinal), haves: [ordinal(have)] })
      const found = range.commits.map((commit) => noted.idOf(commit) as string)
      const [wanted, had] = [await list(first, second), new Set(await list(have))]
      t.same(found.toSorted(), wanted.filter((id) => !had.has(id)).sort(), 'the range is exact')
      const places = new Map(range.commits.map((commit, place) => [commit, place]))
      const isOrdered = range.commits.every((commit) =>
        graph.parentsOf(commit).every((parent) => (places.get(parent) ?? -1) < places.get(commit)!),
      )
      t.ok(isOrdered, 'parents come first')
      const beyond = await findNonAncestors(graph, commits.map(ordinal), [ordinal(have)])
      t.same(
        beyond.map((each) => noted.idOf(each) as string).sort(),
        commits.filter((id) => !had.has(id)),
      )
    }
  })
}
