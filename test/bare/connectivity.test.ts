/** Pushes that lack something, into repositories that lack something themselves: as git decides. */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { findDisconnection } from '../../src/bare/connectivity.ts'
import { localLimits } from '../../src/bare/limits.ts'
import { barePushHost } from '../../src/bare/push.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { git, importCommits, makeHistory, temporaryFolder } from '../support/git-client.ts'

const { signal } = new AbortController()

t.test('a pack that lacks an object moves nothing, whatever lies about in the repository', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 103, commits: 20 })
  const without = join(folder, 'without.git')
  await git(folder, 'clone', '-q', '--bare', '--single-branch', '--no-tags', `file://${source}`, without)
  await git(without, 'update-ref', 'refs/heads/main', 'main~3')
  await git(without, 'gc', '-q', '--prune=now')
  const all = (await git(source, 'rev-list', '--objects', '--no-object-names', 'main', '^main~3')).split('\n')
  const [tip] = all
  const oldId = (await git(without, 'rev-parse', 'main')) as ObjectId
  // Garbage, of which the repository has the commit alone.
  const garbage = await git(source, 'commit-tree', '-p', 'main', '-m', 'garbage', 'main^{tree}')
  const bytes = spawnSync('git', ['cat-file', 'commit', garbage], { cwd: source }).stdout
  spawnSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { cwd: without, input: bytes })
  for (const missing of all) {
    const server = join(folder, `${missing}.git`)
    cpSync(without, server, { recursive: true })
    const ids = all.filter((id) => id !== missing)
    const pack = spawnSync('git', ['pack-objects', '--stdout', '-q'], {
      cwd: source,
      input: `${ids.join('\n')}\n`,
    }).stdout
    const repository = await openBareRepository(server)
    const host = barePushHost(repository, { limits: localLimits, directory: server })
    const commands = [
      { name: 'refs/heads/main', oldId, newId: tip as ObjectId },
      { name: 'refs/heads/garbage', oldId: undefined, newId: garbage as ObjectId },
    ]
    const request = { commands, atomic: false, pushOptions: [], pack: oneChunk(pack), progress: () => {}, signal }
    const { results, unpack } = await host.push(request)
    repository.close()
    t.equal(unpack, 'ok')
    // The garbage needs what the pack lacks as well.
    t.same(new Set(results.map(({ reason }) => reason)), new Set(['missing necessary objects']), missing)
    t.equal(await git(server, 'for-each-ref', '--format=%(objectname) %(refname)'), `${oldId} refs/heads/main`)
  }
})

async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}

t.test('a broken past does not stand in the way of what comes after it', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'broken.git')
  makeHistory(path, { seed: 104, commits: 30 })
  importCommits(path, 'refs/heads/next', 'refs/heads/main', 3)
  spawnSync('sh', ['-c', 'mv objects/pack packs; for p in packs/*.pack; do git unpack-objects -q < $p; done'], {
    cwd: path,
  })
  const lost = await git(path, 'rev-parse', 'main~12')
  rmSync(join(path, 'objects', lost.slice(0, 2), lost.slice(2)))
  const [main, next] = (await git(path, 'rev-parse', 'main', 'next')).split('\n') as ObjectId[]
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const ask = (tips: ObjectId[], existingTips: ObjectId[]) =>
    findDisconnection({ objects, tips, existingTips, received: undefined, signal })
  t.equal(await ask([main], [main]), undefined)
  t.match(await ask([next], []), `Object ${lost} is missing`)
})
