/** What is said of descent holds, and of a tip everything is said; and what that finds out for thin packs. */
import { join } from 'node:path'
import t from 'tap'
import type { Ordinal } from '../../../src/git/repository.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { selectObjects } from '../../../src/git/walk/select-objects.ts'
import { git, makeHistory, temporaryFolder } from '../../support/git-client.ts'
import { storedEntry } from '../../support/objects.ts'
import { receiveComplete } from '../../support/two-packs.ts'

for (const seed of [95, 96]) {
  t.test(`history ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 100 })
    const { noted } = await receiveComplete(path)
    const graph = new CommitGraph(noted)
    const ordinals = [...Array(noted.ordinalCount).keys()]
    const commits = ordinals.filter((each) => noted.typeOf(each) === 'commit')
    const ancestorsOf = (commit: Ordinal) => {
      const found = new Set([commit])
      for (const each of found) for (const parent of graph.parentsOf(each)) found.add(parent)
      return found
    }
    let said = 0
    for (const commit of commits) {
      const ancestors = ancestorsOf(commit)
      for (const other of commits) {
        if (!noted.leadsTo(commit, other)) continue
        said++
        if (!ancestors.has(other)) t.fail(`${noted.idOf(other)} is no ancestor of ${noted.idOf(commit)}`)
      }
    }
    t.ok(said > commits.length, 'more is said than that each leads to itself')
    // The tip of the older pack, alone with its history there.
    const middle = (await git(path, 'rev-list', 'main')).split('\n')
    const tip = noted.locate(Buffer.from(middle[middle.length >> 1], 'hex'))
    t.ok([...ancestorsOf(tip)].every((each) => noted.leadsTo(tip, each)))
  })

  t.test(`history ${seed}: bases that the client has are found`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 100 })
    const { noted } = await receiveComplete(path)
    const ids = (await git(path, 'rev-list', '--first-parent', 'main')).split('\n')
    const [want, have] = [ids[0], ids[ids.length >> 1]].map((id) => noted.locate(Buffer.from(id, 'hex')))
    const held = new Set((await git(path, 'rev-list', '--objects', '--no-object-names', noted.idOf(have))).split('\n'))
    const { ordinals, isClientKnown } = await selectObjects(noted, { wants: [want], haves: [have] })
    const selected = new Set(ordinals)
    const bases = [...ordinals].map((each) => storedEntry(noted, each).base)
    const heldBases = bases.filter((base) => base >= 0 && !selected.has(base) && held.has(noted.idOf(base)))
    t.ok(heldBases.length > 0)
    t.same(
      heldBases.filter((base) => !isClientKnown(base)),
      [],
    )
  })
}
