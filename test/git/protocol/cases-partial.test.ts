/** Shallow and partial clones by real clients, beside the same clones from git: groups 26 to 28 of the protocol's corner cases. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type GitServer, startGitServer } from '../../support/bare-git-server.ts'
import { git, makeHistory, temporaryFolder, tryGit } from '../../support/git-client.ts'
import { askGitItself, askUs, fetchCommand, linesBeforePack } from '../../support/raw-fetch.ts'

interface Pair {
  folder: string
  source: string
  server: GitServer
  /** Runs git with the server's URL appended in two clients, one of which talks to git; both must then hold the same. */
  both(...args: string[]): Promise<void>
  clone(...args: string[]): Promise<void>
}

async function openPair(t: Test, seed: number): Promise<Pair> {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed, commits: 80 })
  for (const key of ['allowFilter', 'allowAnySHA1InWant']) await git(source, 'config', `uploadpack.${key}`, 'true')
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  const compare = async (what: string) => {
    const [ours, gits] = ['ours', 'gits'].map((name) => join(folder, name, '.git'))
    t.equal(await describe(ours), await describe(gits), what)
    t.same(server.failures, [])
  }
  const both = async (...args: string[]) => {
    for (const name of ['ours', 'gits']) await git(join(folder, name), ...args)
    await compare(args.join(' '))
  }
  const clone = async (...args: string[]) => {
    await git(folder, 'clone', '-q', ...args, server.url, 'ours')
    await git(folder, 'clone', '-q', ...args, `file://${source}`, 'gits')
    await compare(args.join(' '))
  }
  return { folder, source, server, both, clone }
}

/** What a client has, where its history ends, and what its remote's refs are. Nothing is fetched to tell. */
async function describe(gitPath: string): Promise<string> {
  const objects = await git(gitPath, 'cat-file', '--batch-all-objects', '--batch-check')
  const refs = await git(gitPath, 'for-each-ref', '--format=%(refname) %(objectname)')
  const shallow = join(gitPath, 'shallow')
  const ends = existsSync(shallow) ? readFileSync(shallow, 'utf8').split('\n').sort().join('\n') : 'complete'
  return [objects, refs, ends].join('\n')
}

const dateOf = (source: string, rev: string) => git(source, 'log', '-1', '--format=%ct', rev)

t.test('group 26: shallow clones, by every way to say how far', async (t) => {
  const { source, both, clone } = await openPair(t, 101)
  await clone('--depth=2', '--no-single-branch')
  await both('fetch', '-q', '--deepen=3')
  await both('fetch', '-q', `--shallow-since=${await dateOf(source, 'main~8')}`)
  await both('fetch', '-q', `--shallow-exclude=v${(await git(source, 'tag', '-l', 'v*')).split('\n')[0].slice(1)}`)
  await both('fetch', '-q', '--depth=1')
  const next = await git(source, 'commit-tree', '-p', 'main', '-m', 'n', 'main^{tree}')
  await git(source, 'update-ref', 'refs/heads/main', next)
  await both('fetch', '-q')
  await both('fetch', '-q', '--unshallow')
})

t.test('group 26: and what git refuses', async (t) => {
  const { folder, source, server } = await openPair(t, 102)
  const tip = await git(source, 'rev-parse', 'main')
  const asked: Record<string, string[]> = {
    'no commits selected for shallow requests': ['deepen-since 2000000000'],
    'ambiguous deepen-not: absent': ['deepen-not absent'],
    'deepen and deepen-since (or deepen-not) cannot be used together': ['deepen 1', 'deepen-since 5'],
    'invalid deepen: -1': ['deepen -1'],
  }
  for (const [answer, args] of Object.entries(asked)) {
    t.match(await askUs(source, fetchCommand(`want ${tip}`, ...args, 'done')), `ERR ${answer}`)
    t.notMatch(askGitItself(source, fetchCommand(`want ${tip}`, ...args, 'done')), 'PACK')
  }
  const { status, stderr } = await tryGit(folder, 'clone', '-q', '--shallow-since=2040-01-01', server.url, 'none')
  t.not(status, 0)
  t.match(stderr, 'no commits selected for shallow requests')
  const unknown = 'f'.repeat(40)
  const request = fetchCommand(`want ${tip}`, `shallow ${unknown}`, 'done')
  t.same(linesBeforePack(await askUs(source, request)), ['packfile'], 'ends that we do not know are passed over')
  const unchanged = fetchCommand(`want ${tip}`, `shallow ${tip}`, `have ${tip}`, 'deepen 1', 'done')
  t.same(linesBeforePack(await askUs(source, unchanged)), ['packfile'], 'no section where nothing changes')
  const tag = await git(source, 'rev-parse', 'nested')
  t.match(await askUs(source, fetchCommand(`want ${tip}`, `shallow ${tag}`)), `ERR invalid shallow object ${tag}`)
})

for (const filter of [
  ...['blob:none', 'blob:limit=200', 'tree:0', 'tree:3', 'object:type=tree', 'combine:tree:3+blob:limit=300'],
]) {
  t.test(`group 27: a clone with ${filter}, then its files`, async (t) => {
    const { folder, both, clone } = await openPair(t, 103)
    await clone('--no-checkout', `--filter=${filter}`)
    await both('checkout', '-q', 'main')
    await both('diff', '--stat', 'main~9', 'main')
    await git(join(folder, 'ours'), 'fsck')
  })
}

t.test('group 27: a filter with a depth, with a list of paths, and none at all', async (t) => {
  const { folder, source, server, both, clone } = await openPair(t, 104)
  await clone('--no-checkout', '--filter=blob:none', '--depth=3')
  await both('fetch', '-q', '--deepen=2')
  await both('checkout', '-q', 'main')
  const tip = await git(source, 'rev-parse', 'main')
  const refused: Record<string, string> = {
    'blob:some': "invalid filter-spec 'blob:some'",
    'sparse:oid=main:absent': "unable to access sparse blob in 'main:absent'",
    [`sparse:oid=${'f'.repeat(40)}`]: `unable to access sparse blob in '${'f'.repeat(40)}'`,
    'sparse:oid=main:dir-1': "unable to access sparse blob in 'main:dir-1'",
  }
  for (const [filter, answer] of Object.entries(refused)) {
    t.match(await askUs(source, fetchCommand(`want ${tip}`, `filter ${filter}`, 'done')), `ERR ${answer}`)
  }
  const list = await git(join(folder, 'gits'), 'hash-object', '-w', '--', '.git/HEAD')
  t.match(await askUs(source, fetchCommand(`want ${tip}`, `filter sparse:oid=${list}`, 'done')), 'ERR unable to access')
  await git(folder, 'clone', '-q', source, 'work')
  const work = join(folder, 'work')
  writeFileSync(join(work, 'paths'), '/dir-1/\n!sub-2\n')
  await git(work, 'add', 'paths')
  await git(work, 'commit', '-qm', 'paths')
  await git(work, 'push', '-q', 'origin', 'HEAD:main')
  const listed = async (url: string, name: string) => {
    await git(folder, 'clone', '-q', '--bare', '--filter=sparse:oid=main:paths', url, name)
    return await describe(join(folder, name))
  }
  t.equal(await listed(server.url, 'sparse-ours'), await listed(`file://${source}`, 'sparse-gits'))
})

t.test('group 28: lazy fetches of many blobs ask for each once, and walk once', async (t) => {
  const { folder, source, server } = await openPair(t, 105)
  await git(folder, 'clone', '-q', '--no-checkout', '--filter=blob:none', server.url, 'lazy')
  const before = server.requests.length
  await git(join(folder, 'lazy'), 'checkout', '-q', 'main')
  t.ok(server.requests.length - before <= 2, 'one conversation')
  await git(source, 'gc', '-q', '--prune=now')
  const old = (await git(source, 'ls-tree', '-r', 'main~20')).split('\n').map((line) => line.split(/\s/)[2])
  await git(join(folder, 'lazy'), 'fetch', '-q', 'origin', ...new Set(old))
  for (const id of old.slice(0, 5)) await git(join(folder, 'lazy'), 'cat-file', '-e', id)
  t.same(server.failures, [])
})
