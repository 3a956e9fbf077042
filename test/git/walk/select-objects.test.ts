/** What is selected is compared with `git rev-list --objects` on random histories with wrong clocks. */

import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../../src/bare/bare-repository.ts'
import { fairLoop } from '../../../src/git/fair-loop.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { locateId } from '../../../src/git/repository.ts'
import { findNonAncestors } from '../../../src/git/walk/ancestry.ts'
import { ClientHaves } from '../../../src/git/walk/client-haves.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { leadToAll } from '../../../src/git/walk/leads-to.ts'
import { markContent } from '../../../src/git/walk/mark-content.ts'
import { findNewCommits } from '../../../src/git/walk/new-commits.ts'
import { selectObjects } from '../../../src/git/walk/select-objects.ts'
import { findBoundary } from '../../../src/git/walk/shallow.ts'
import { git, gitSync, makeHistory, seededRandom, temporaryFolder } from '../../support/git-client.ts'

for (const seed of [61, 62, 63, 64]) {
  t.test(`history ${seed}`, async (t) => {
    const path = join(temporaryFolder(t), 'source.git')
    makeHistory(path, { seed, commits: 150 })
    const repository = await openBareRepository(path)
    t.teardown(() => repository.close())
    const { objects } = repository
    const list = async (...args: string[]) =>
      new Set((await git(path, 'rev-list', ...args)).split('\n').filter((line) => line !== ''))
    const commits = [...(await list('--all'))] as ObjectId[]
    const ordinal = (id: ObjectId) => locateId(objects, id)
    const random = seededRandom(seed)
    const pick = (count: number) => Array.from({ length: count }, () => commits[Math.floor(random() * commits.length)])

    for (let round = 0; round < 12; round++) {
      const [wants, haves] = [pick(1 + (round % 3)), pick(round % 4)]
      const range = [...wants, '--not', ...haves]
      const graph = new CommitGraph(objects)
      const found = await findNewCommits(graph, { wants: wants.map(ordinal), haves: haves.map(ordinal) })
      // Both lists are exact; git's own range is not, where clocks run wrong.
      const [wanted, had] = [await list(...wants), haves.length === 0 ? new Set() : await list(...haves)]
      const ids = new Set(found.commits.map((commit) => objects.idOf(commit)))
      t.same(
        [...wanted].filter((id) => !had.has(id) && !ids.has(id as ObjectId)),
        [],
        'no commit is missing',
      )
      t.same(
        [...ids].filter((id) => !wanted.has(id)),
        [],
        'no commit is sent that was not asked for',
      )
      const places = new Map(found.commits.map((commit, place) => [commit, place]))
      const isOrdered = found.commits.every((commit) =>
        graph.parentsOf(commit).every((parent) => (places.get(parent) ?? -1) < places.get(commit)!),
      )
      t.ok(isOrdered, 'parents come first')

      const { ordinals, isClientKnown } = await selectObjects(objects, {
        wants: wants.map(ordinal),
        haves: haves.map(ordinal),
      })
      const sent = new Set([...ordinals].map((each) => objects.idOf(each)))
      const needed = await list('--objects', '--no-object-names', ...range)
      const held = haves.length === 0 ? new Set() : await list('--objects', '--no-object-names', ...haves)
      t.same(
        [...needed].filter((id) => !sent.has(id as ObjectId) && !held.has(id)),
        [],
        'nothing is missing',
      )
      const all = await list('--objects', '--no-object-names', ...wants)
      t.same(
        [...sent].filter((id) => !all.has(id)),
        [],
        'nothing is sent that was not asked for',
      )
      for (let each = 0; each < objects.ordinalCount; each++) {
        if (isClientKnown(each) && !held.has(objects.idOf(each))) t.fail('the client does not have this')
      }
    }
  })
}

t.test('a signal stops walks over trees, commits and depths', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'source.git')
  await git(folder, 'init', '-q', '--bare', path)
  const message = ['committer C <c@example.org> 1 +0000', 'data 0']
  const long = Array.from({ length: 8_000 }, () => ['commit refs/heads/long', ...message, '']).flat()
  const files = Array.from({ length: 4_000 }, (_, n) => ['M 100644 inline', `${n}/${n}`].join(' '))
  const wide = ['commit refs/heads/wide', ...message, ...files.flatMap((line) => [line, 'data 1', 'x']), '']
  gitSync(path, ['fast-import', '--quiet'], Buffer.from([...long, ...wide, ''].join('\n')))
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const at = async (rev: string) => locateId(objects, (await git(path, 'rev-parse', rev)) as ObjectId)
  const [tip, root, wideTip] = [await at('long'), await at('long~7999'), await at('wide')]
  const signal = AbortSignal.abort()
  const graph = () => new CommitGraph(objects)
  const stopped = { name: 'AbortError' }
  await t.rejects(selectObjects(objects, { wants: [wideTip], haves: [], signal }), stopped)
  await t.rejects(findNonAncestors(graph(), [root], [tip], { signal }), stopped)
  await t.rejects(leadToAll(graph(), [tip], [root], signal), stopped)
  const marked = new Uint8Array(objects.ordinalCount)
  const tree = await at('wide^{tree}')
  await t.rejects(markContent(objects, tree, { marked, hasBlobs: true, pause: fairLoop(signal) }), stopped)
  const deepening = { depth: 7_000, isRelative: false, sinceSeconds: undefined, not: [] }
  await t.rejects(findBoundary(graph(), { wants: [tip], clientShallow: [], tips: [], deepening, signal }), stopped)
})

t.test('a negotiation is over when every want leads to a have', async (t) => {
  const path = join(temporaryFolder(t), 'source.git')
  makeHistory(path, { seed: 65, commits: 100 })
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const id = async (rev: string) => locateId(objects, (await git(path, 'rev-parse', rev)) as ObjectId)
  // The least date, since ancestry is not followed below the dates of the haves.
  const byDate = (await git(path, 'log', '--format=%ct %H', 'main')).split('\n').sort()
  const oldest = locateId(objects, byDate[0].split(' ')[1] as ObjectId)
  const common = new ClientHaves(new CommitGraph(objects), [await id('main'), await id('main^{tree}')])
  t.notOk(await common.isEnough())
  common.add(await id('main:dir-1'))
  t.notOk(await common.isEnough())
  common.add(oldest)
  t.ok(await common.isEnough())
  common.add(oldest)
  t.equal(common.ordinals.length, 2)
})
