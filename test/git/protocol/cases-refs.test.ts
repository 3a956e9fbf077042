/** What is advertised and listed, held to git's own answers: groups 13 to 18 of the protocol's corner cases. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ClientNotes } from '../../../src/git/host.ts'
import { advertiseRefs } from '../../../src/git/protocol/advertise-refs.ts'
import { allOffers } from '../../../src/git/protocol/capabilities.ts'
import { startGitServer, withBareHost } from '../../support/bare-git-server.ts'
import { git, gitEnvironment, makeHistory, temporaryFolder } from '../../support/git-client.ts'
import { askGitItself, askUs, fetchCommand, linesBeforePack, packets } from '../../support/raw-fetch.ts'

async function openSource(t: Test) {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 91, commits: 40 })
  return { folder, source }
}

const lsRefs = (...args: string[]) => packets('command=ls-refs', '0001', ...args, '0000')

async function advertise(path: string, version: 0 | 1 | 2): Promise<string[]> {
  const chunks: Uint8Array[] = []
  await withBareHost(path, async (host) => {
    for await (const chunk of advertiseRefs(host, { service: 'git-upload-pack', version })) chunks.push(chunk)
  })
  return linesBeforePack(Buffer.concat(chunks).toString('latin1'))
}

function advertiseByGit(path: string, version: 0 | 1 | 2): string[] {
  const { stdout } = spawnSync('git', ['upload-pack', '--http-backend-info-refs', path], {
    env: { ...gitEnvironment, GIT_PROTOCOL: `version=${version}` },
  })
  return linesBeforePack(stdout.toString('latin1'))
}

t.test('group 13: an empty repository', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  await git(folder, 'init', '-q', '--bare', '-b', 'trunk', source)
  t.match((await advertise(source, 0))[0], /^0{40} capabilities\^\{\}\0multi_ack /)
  for (const args of [[], ['symrefs'], ['unborn'], ['unborn', 'symrefs'], ['unborn', 'ref-prefix refs/']]) {
    t.equal(await askUs(source, lsRefs(...args)), askGitItself(source, lsRefs(...args)), args.join(', '))
  }
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  await git(folder, 'clone', '-q', server.url, 'clone')
  t.equal(await git(join(folder, 'clone'), 'symbolic-ref', 'HEAD'), 'refs/heads/trunk', 'the branch that is to be born')
  t.equal(await git(join(folder, 'clone'), 'rev-parse', '--show-object-format'), 'sha1')
})

t.test('group 14: ls-refs says what git says', async (t) => {
  const { source } = await openSource(t)
  const same = async (name: string, ...args: string[]) =>
    t.equal(await askUs(source, lsRefs(...args)), askGitItself(source, lsRefs(...args)), name)
  const heads: Record<string, string[]> = {
    'a branch': ['symbolic-ref', 'HEAD', 'refs/heads/main'],
    'a branch that is not there': ['symbolic-ref', 'HEAD', 'refs/heads/absent'],
    'a commit': ['update-ref', '--no-deref', 'HEAD', 'main~3'],
  }
  for (const [head, change] of Object.entries(heads)) {
    await git(source, ...change)
    for (const flags of [[], ['symrefs'], ['peel'], ['unborn'], ['peel', 'symrefs', 'unborn']]) {
      await same(`HEAD is ${head}: ${flags}`, ...flags)
    }
    for (const prefix of ['HEAD', 'H', 'refs/heads/main', 'refs/heads/', 'refs/tags/v1', 'refs/absent/', 'main', '']) {
      await same(`HEAD is ${head}, prefix '${prefix}'`, 'peel', 'symrefs', `ref-prefix ${prefix}`)
    }
  }
  await same('several prefixes', 'ref-prefix refs/tags/', 'ref-prefix refs/heads/main', 'ref-prefix refs/tags/in')
  const prefixes = Array.from({ length: 5 }, (_, n) => `ref-prefix refs/none-${n}`)
  const listed = await askUs(source, lsRefs(...prefixes), { limits: { gitRefPrefixesMax: 4 } })
  t.equal(listed, await askUs(source, lsRefs()), 'too many prefixes are as none')
})

t.test('group 15: the advertisement has the refs that git advertises, and at least its capabilities', async (t) => {
  const { source } = await openSource(t)
  for (const key of ['allowTipSHA1InWant', 'allowReachableSHA1InWant', 'allowFilter']) {
    await git(source, 'config', `uploadpack.${key}`, 'true')
  }
  for (const detach of [false, true]) {
    if (detach) await git(source, 'update-ref', '--no-deref', 'HEAD', 'main~2')
    for (const version of [0, 1] as const) {
      const [ours, gits] = [await advertise(source, version), advertiseByGit(source, version)]
      const first = version === 1 ? 1 : 0
      const [ourFirst, gitFirst] = [ours, gits].map((lines) => lines[first].split('\0'))
      t.equal(ourFirst[0], gitFirst[0])
      const offered = new Set(ourFirst[1].split(' '))
      t.same(
        gitFirst[1].split(' ').filter((word) => !offered.has(word) && !word.startsWith('agent=')),
        [],
      )
      t.match(ourFirst[1], /agent=holdfast\/\d+\.\d+/)
      t.same(
        ours.filter((_, at) => at !== first),
        gits.filter((_, at) => at !== first),
      )
    }
  }
})

t.test('group 16: what is not offered is not advertised', async (t) => {
  const { source } = await openSource(t)
  const offers = {
    ...allOffers,
    filter: false,
    refInWant: false,
    sidebandAll: false,
    tipWants: false,
    reachableWants: false,
  }
  await withBareHost(source, async (host) => {
    for (const version of [0, 2] as const) {
      const chunks: Uint8Array[] = []
      const shown = { ...host, offers: { ...offers, sessionId: 's-1' } }
      for await (const chunk of advertiseRefs(shown, { service: 'git-upload-pack', version })) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('latin1')
      t.notMatch(text, /filter|ref-in-want|sideband-all|allow-/)
      t.match(text, 'session-id=s-1')
    }
  })
})

t.test('group 17: refs that sort by bytes, and many of them', async (t) => {
  const { source } = await openSource(t)
  const tip = await git(source, 'rev-parse', 'main')
  const names = [
    'a',
    'a-b',
    'a.b',
    'A',
    'ab',
    'ä',
    'z',
    '{',
    '~'.replace('~', 'x~'.slice(0, 1)),
    ...Array.from({ length: 3_000 }, (_, n) => `many/${n}`),
  ]
  const input = names.map((name) => `create refs/heads/${name} ${tip}\n`).join('')
  spawnSync('git', ['update-ref', '--stdin'], { cwd: source, input, env: gitEnvironment })
  await git(source, 'pack-refs', '--all')
  t.equal(await askUs(source, lsRefs('peel')), askGitItself(source, lsRefs('peel')))
  t.same((await advertise(source, 0)).slice(1), advertiseByGit(source, 0).slice(1))
})

t.test('group 18: commands and capabilities', async (t) => {
  const { source } = await openSource(t)
  const tip = await git(source, 'rev-parse', 'main')
  const refused: Record<string, Buffer> = {
    "ERR invalid command 'push'": packets('command=push', '0000'),
    "ERR unknown capability 'colour=red'": packets('command=ls-refs', 'colour=red', '0000'),
    "ERR unexpected line: 'colour'": fetchCommand('colour'),
    'ERR no command requested': packets('agent=x', '0000'),
    'ERR This server keeps sha1 repositories; sha256 was asked for.': packets(
      'command=fetch',
      'object-format=sha256',
      '0000',
    ),
    "ERR object-info: unexpected line: 'oid x'": packets('command=object-info', '0001', 'oid x', '0000'),
  }
  for (const [answer, request] of Object.entries(refused)) t.equal((await askUs(source, request)).slice(4), answer)
  t.equal(await askUs(source, packets('0000')), '', 'an empty request')
  const blob = await git(source, 'rev-parse', 'main:dir-1/sub-1').then((tree) => git(source, 'ls-tree', tree))
  const blobId = blob.split(/\s/)[2]
  const info = packets(
    'command=object-info',
    '0001',
    'size',
    `oid ${blobId}`,
    `oid ${tip}`,
    `oid ${'f'.repeat(40)}`,
    '0000',
  )
  t.same(linesBeforePack(await askUs(source, info)), linesBeforePack(askGitItself(source, info)))
  const lost = await git(source, 'commit-tree', '-m', 'lost', 'main^{tree}')
  const hidden = packets('command=object-info', '0001', 'size', `oid ${lost}`, '0000')
  t.same(linesBeforePack(await askUs(source, hidden)), ['size', `${lost} `, '0000'], 'no size of what may not be read')
  const notes: ClientNotes[] = []
  const host = { noteClient: (note: ClientNotes) => notes.push(note) }
  const told = ['agent=git/2.39', 'session-id=abc', 'server-option=a=b', 'server-option=c']
  await askUs(source, packets('command=ls-refs', ...told, '0000'), { host })
  await askUs(source, packets(`want ${tip} agent=git/2.39 session-id=abc`, '0000', 'done'), { version: 0, host })
  t.same(notes, [
    { agent: 'git/2.39', sessionId: 'abc', serverOptions: ['a=b', 'c'] },
    { agent: 'git/2.39', sessionId: 'abc', serverOptions: [] },
  ])
})
