/** Real git clients fetch from bare repositories through `uploadPack`; what they get is compared with what git says. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HoldfastError } from '../../../src/errors.ts'
import type { FetchHost } from '../../../src/git/host.ts'
import { dataPacket, delimPacket, flushPacket } from '../../../src/git/protocol/pkt-line.ts'
import { uploadPack } from '../../../src/git/protocol/upload-pack.ts'
import { limits, startGitServer, withBareHost } from '../../support/bare-git-server.ts'
import { git, importCommits, makeHistory, temporaryFolder, tryGit } from '../../support/git-client.ts'
import { askUs, fetchCommand } from '../../support/raw-fetch.ts'

async function serve(t: Test, path: string) {
  const server = await startGitServer(path)
  t.teardown(() => server.close())
  return server
}

const objectsOf = async (path: string) =>
  (await git(path, 'rev-list', '--objects', '--all', '--no-object-names')).split('\n').sort().join('\n')
const refsOf = (path: string) => git(path, 'for-each-ref', '--format=%(objectname) %(refname)')

for (const version of [0, 1, 2]) {
  const protocol = ['-c', `protocol.version=${version}`]

  t.test(`version ${version}: mirrors of random histories are equal`, async (t) => {
    for (const seed of [1, 2]) {
      const folder = temporaryFolder(t)
      const source = join(folder, 'source.git')
      makeHistory(source, { seed, commits: 120 })
      if (seed === 2) await git(source, 'repack', '-adq')
      const server = await serve(t, source)
      t.equal(
        await git(folder, ...protocol, 'ls-remote', server.url),
        await git(folder, ...protocol, 'ls-remote', `file://${source}`),
      )
      await git(folder, ...protocol, 'clone', '-q', '--mirror', server.url, 'mirror.git')
      const mirror = join(folder, 'mirror.git')
      await git(mirror, 'fsck', '--strict', '--full')
      t.equal(await refsOf(mirror), await refsOf(source))
      t.equal(await objectsOf(mirror), await objectsOf(source))
      t.same(server.failures, [])
    }
  })

  t.test(`version ${version}: fetches catch up with what the client lacks`, async (t) => {
    for (const seed of [4, 5]) {
      const folder = temporaryFolder(t)
      const source = join(folder, 'source.git')
      makeHistory(source, { seed, commits: 150 })
      const client = join(folder, 'client.git')
      await git(folder, 'clone', '-q', '--bare', '--no-tags', '--single-branch', `file://${source}`, 'client.git')
      // The client has an earlier state and a commit of its own that the server does not know.
      const old = (await git(source, 'rev-list', '--topo-order', 'main')).split('\n')[20]
      await git(client, 'update-ref', 'refs/heads/main', old)
      await git(client, 'commit-tree', '-p', old, '-m', 'own', `${old}^{tree}`).then((own) =>
        git(client, 'update-ref', 'refs/heads/own', own),
      )
      await git(client, 'reflog', 'expire', '--expire=now', '--all')
      await git(client, 'repack', '-adq')
      await git(client, 'prune')
      const server = await serve(t, source)
      await git(client, ...protocol, 'fetch', '-q', server.url, 'refs/heads/*:refs/remotes/o/*')
      await git(client, 'fsck', '--strict', '--full')
      for (const line of (
        await git(source, 'for-each-ref', '--format=%(objectname) %(refname:short)', 'refs/heads')
      ).split('\n')) {
        const [id, name] = line.split(' ')
        t.equal(await git(client, 'rev-parse', `refs/remotes/o/${name}`), id)
      }
      t.same(server.failures, [])
    }
  })

  t.test(`version ${version}: shallow clones, deepened and completed`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 11, commits: 120 })
    const server = await serve(t, source)
    const both = async (step: (client: string, url: string) => Promise<unknown>) => {
      await step('ours', server.url)
      await step('gits', `file://${source}`)
      const [ours, gits] = ['ours', 'gits'].map((name) => join(folder, name, '.git'))
      await git(ours, 'fsck', '--strict', '--full')
      const shallow = (path: string) => readShallow(path).split('\n').sort().join('\n')
      t.equal(shallow(ours), shallow(gits))
      t.equal(await objectsOf(ours), await objectsOf(gits))
    }
    await both((client, url) => git(folder, ...protocol, 'clone', '-q', '--depth=3', url, client))
    await both((client) => git(join(folder, client), ...protocol, 'fetch', '-q', '--depth=7', 'origin'))
    await both((client) => git(join(folder, client), ...protocol, 'fetch', '-q', '--deepen=2', 'origin'))
    await both((client) =>
      git(join(folder, client), ...protocol, 'fetch', '-q', 'origin', 'refs/heads/*:refs/remotes/all/*'),
    )
    await both((client) => git(join(folder, client), ...protocol, 'fetch', '-q', '--depth=1', 'origin'))
    await both((client) => git(join(folder, client), ...protocol, 'fetch', '-q', '--unshallow', 'origin'))
    t.same(server.failures, [])
  })

  t.test(`version ${version}: several rounds of negotiation`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 13, commits: 120 })
    await git(folder, 'clone', '-q', '--bare', '--no-tags', '--single-branch', `file://${source}`, 'client.git')
    const client = join(folder, 'client.git')
    // More commits that the server does not know than fit into the first round's 16 haves.
    importCommits(client, 'refs/heads/own', 'refs/heads/main~1', 100)
    await git(
      source,
      'update-ref',
      'refs/heads/main',
      await git(source, 'commit-tree', '-p', 'main', '-m', 'n', 'main^{tree}'),
    )
    const server = await serve(t, source)
    for (const algorithm of ['consecutive', 'skipping']) {
      const config = [...protocol, '-c', `fetch.negotiationAlgorithm=${algorithm}`]
      const { stderr } = await tryGit(
        client,
        ...config,
        'fetch',
        '--progress',
        '--no-tags',
        server.url,
        `main:refs/heads/${algorithm}`,
      )
      if (algorithm === 'consecutive') t.match(stderr, 'Enumerating objects: 1, done.')
      t.equal(await git(client, 'rev-parse', algorithm), await git(source, 'rev-parse', 'main'))
    }
    t.ok(server.requests.filter(({ path }) => path.endsWith('git-upload-pack')).length > 3)
    t.same(server.failures, [])
  })

  t.test(`version ${version}: an empty repository`, async (t) => {
    const folder = temporaryFolder(t)
    await git(folder, 'init', '-q', '--bare', '-b', 'trunk', 'source.git')
    const server = await serve(t, join(folder, 'source.git'))
    await git(folder, ...protocol, 'clone', '-q', server.url, 'clone')
    if (version === 2) t.equal(await git(join(folder, 'clone'), 'symbolic-ref', 'HEAD'), 'refs/heads/trunk')
    t.equal(await git(folder, ...protocol, 'ls-remote', server.url), '')
  })

  t.test(`version ${version}: any reachable id is a want, others are refused`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 12, commits: 60 })
    const lost = await git(source, 'commit-tree', '-m', 'lost', 'main^{tree}')
    const server = await serve(t, source)
    await git(folder, 'init', '-q', 'client')
    const client = join(folder, 'client')
    for (const want of ['main~5', 'main~5^{tree}', 'main:dir-1', 'nested']) {
      const id = await git(source, 'rev-parse', want)
      await git(client, ...protocol, 'fetch', '-q', '--depth=1', server.url, id)
      t.equal(await git(client, 'rev-parse', 'FETCH_HEAD'), id)
    }
    for (const id of [lost, 'a'.repeat(40)]) {
      const { status, stderr } = await tryGit(client, ...protocol, 'fetch', '-q', server.url, id)
      t.not(status, 0)
      t.match(stderr, 'not our ref')
    }
  })
}

t.test('version 0 without side-band, multi_ack, ofs-delta or thin packs', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 21, commits: 80 })
  await git(source, 'repack', '-adq')
  const server = await serve(t, source)
  const tip = await git(source, 'rev-parse', 'main')
  const post = async (lines: string[]) => {
    const body = lines.map((line) =>
      line === '0000' ? line : `${(line.length + 5).toString(16).padStart(4, '0')}${line}\n`,
    )
    const response = await fetch(`${server.url}/git-upload-pack`, { method: 'POST', body: body.join('') })
    return Buffer.from(await response.arrayBuffer())
  }
  const answer = await post([`want ${tip}`, '0000', 'done'])
  t.equal(answer.toString('latin1', 0, 12), '0008NAK\nPACK')
  const have = await git(source, 'rev-parse', 'main~3')
  const second = await post([`want ${tip} multi_ack`, '0000', `have ${have}`, `have ${'b'.repeat(40)}`, '0000'])
  t.match(second.toString('latin1'), `ACK ${have} continue\n`)
  t.match(second.toString('latin1'), /NAK\n$/)
  const third = await post([`want ${tip} no-done multi_ack_detailed`, '0000', `have ${tip}`, '0000'])
  t.match(third.toString('latin1'), `ACK ${tip} common\n0037ACK ${tip} ready\n0008NAK\n0031ACK ${tip}\nPACK`)
  t.equal((await post(['0000'])).length, 0)
  const bad = await post(['wont x', '0000'])
  t.match(bad.toString('latin1'), /^00..ERR unexpected line/)
})

t.test('what is sent is close to what git sends', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 31, commits: 200 })
  const server = await serve(t, source)
  await git(folder, 'clone', '-q', '--bare', '--single-branch', '--no-tags', `file://${source}`, 'client.git')
  const client = join(folder, 'client.git')
  const tip = await git(source, 'rev-parse', 'main')
  const next = await git(source, 'commit-tree', '-p', tip, '-m', 'next', `${tip}^{tree}`)
  await git(source, 'update-ref', 'refs/heads/main', next)
  const { stderr } = await tryGit(client, 'fetch', '--progress', server.url, 'main')
  t.match(stderr, 'remote: Enumerating objects: 1, done.')
})

t.test('a damaged repository is told of in band 3', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 32, commits: 20 })
  const missing = 'c'.repeat(40)
  const tree = spawnSync('git', ['mktree', '--missing'], { cwd: source, input: `100644 blob ${missing}\tgone\n` })
  const commit = await git(source, 'commit-tree', '-p', 'main', '-m', 'damaged', tree.stdout.toString().trim())
  await git(source, 'update-ref', 'refs/heads/main', commit)
  const server = await serve(t, source)
  for (const version of [0, 2]) {
    const { status, stderr } = await tryGit(
      folder,
      '-c',
      `protocol.version=${version}`,
      'clone',
      server.url,
      `c${version}`,
    )
    t.not(status, 0)
    t.match(stderr, `Object ${missing} is missing.`)
  }
  t.same(server.failures, [])
})

t.test('objects stay open until a left stream has stopped reading them', async (t) => {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 33, commits: 60 })
  const tip = await git(source, 'rev-parse', 'main')
  async function* body() {
    const lines = ['command=fetch', `want ${tip}`, 'done'].map((line) => dataPacket(line))
    yield Buffer.concat([lines[0], delimPacket, lines[1], lines[2], flushPacket])
  }
  const { signal } = new AbortController()
  await withBareHost(source, async (host) => {
    const answer = uploadPack(host, body(), { version: 2, limits, signal })
    t.equal(String((await answer.next()).value), '000dpackfile\n')
    await answer.return(undefined)
    t.ok((await answer.next()).done)
  })
})

t.test('a busy host is left to the transport, whatever is multiplexed', async (t) => {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 34, commits: 5 })
  const host: Partial<FetchHost> = {
    streamObjects: () => {
      throw new HoldfastError('RateLimited')
    },
  }
  const want = `want ${await git(source, 'rev-parse', 'main')}`
  for (const args of [[want], [want, 'sideband-all']]) {
    await t.rejects(askUs(source, fetchCommand(...args, 'done'), { host }), { code: 'RateLimited' }, args.join())
  }
})

function readShallow(gitPath: string): string {
  try {
    return readFileSync(join(gitPath, 'shallow'), 'utf8')
  } catch {
    return ''
  }
}
