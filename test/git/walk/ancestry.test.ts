import { join } from 'node:path'
import t from 'tap'
import { type ObjectId, objectIdBytes } from '../../../src/git/object-id.ts'
import { findNonAncestors } from '../../../src/git/walk/ancestry.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { git, temporaryFolder } from '../../support/git.ts'
import { makeHistory } from '../../support/histories.ts'
import { openPackedRepository } from '../../support/packed-repository.ts'

t.test('ancestors as rev-list knows them', async (t) => {
  const gitDir = await makeHistory(join(temporaryFolder(t), 'merges.git'), 'merges')
  const { objects, close } = openPackedRepository(gitDir)
  t.teardown(close)
  const locate = (id: string) => objects.locate(objectIdBytes(id as ObjectId))
  const all = (await git(gitDir, 'rev-list', '--all')).split('\n')
  const tip = await git(gitDir, 'rev-parse', 'main~150')
  const beyond = (await git(gitDir, 'rev-list', '--all', '--not', tip)).split('\n')
  const found = await findNonAncestors(new CommitGraph(objects), all.map(locate), [locate(tip)])
  t.same(found.map((ordinal) => objects.idOf(ordinal)).sort(), beyond.sort())
  t.same(await findNonAncestors(new CommitGraph(objects), [locate(tip)], []), [locate(tip)])
  t.same(await findNonAncestors(new CommitGraph(objects), [], [locate(tip)]), [])
})
