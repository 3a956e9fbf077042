/** What leads to what, as `git merge-base --is-ancestor` and tags say. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { objectIdBytes, parseObjectId } from '../../../src/git/object-id.ts'
import { CommitGraph } from '../../../src/git/walk/commit-graph.ts'
import { leadToAll } from '../../../src/git/walk/leads-to.ts'
import { makeHistory } from '../../support/git-client.ts'
import { openPackedRepository } from '../../support/packed-repository.ts'

t.test('commits, tags of tags, trees', async (t) => {
  const folder = join(t.testdir(), 'source.git')
  makeHistory(folder, { seed: 11, commits: 60 })
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim()
  git('repack', '-adq')
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  const graph = new CommitGraph(objects)
  const ordinal = (revision: string) => objects.locate(objectIdBytes(parseObjectId(git('rev-parse', revision))!))
  const leads = (from: string[], to: string[]) => leadToAll(graph, from.map(ordinal), to.map(ordinal))

  const commits = git('rev-list', '--all').split('\n')
  for (const from of commits.filter((_, at) => at % 9 === 0)) {
    const reached = new Set(git('rev-list', from).split('\n'))
    for (const to of commits.filter((_, at) => at % 7 === 0)) t.equal(await leads([from], [to]), reached.has(to))
  }
  t.ok(await leads(['nested'], ['inner', 'inner^{commit}', 'inner~3']), 'tags lead to tags and commits')
  t.notOk(await leads(['inner'], ['nested']), 'but not the other way')
  t.notOk(await leads(['main'], ['main', 'nested']))
  t.ok(await leads(['main^{tree}'], ['main^{tree}']), 'what is named itself')
  t.notOk(await leads(['main'], ['main^{tree}']), 'trees below commits are not looked for')
  t.ok(await leads([], []))
  t.notOk(await leads([], ['main']))
})
