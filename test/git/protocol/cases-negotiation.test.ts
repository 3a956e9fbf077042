/** Negotiation by hand, line for line as git answers the same bytes: groups 19 to 25 of the protocol's corner cases. */
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { RefList } from '../../../src/git/ref-list.ts'
import type { RefSnapshot } from '../../../src/git/repository.ts'
import { startGitServer } from '../../support/bare-git-server.ts'
import { git, gitSync, importCommits, makeHistory, temporaryFolder, tryGit } from '../../support/git-client.ts'
import { askGitItself, askUs, fetchCommand, linesBeforePack, packets } from '../../support/raw-fetch.ts'

async function openSource(t: Test, seed = 71) {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed, commits: 60 })
  for (const key of ['allowAnySHA1InWant', 'allowRefInWant', 'allowFilter', 'allowSidebandAll']) {
    await git(source, 'config', `uploadpack.${key}`, 'true')
  }
  const id = (rev: string) => git(source, 'rev-parse', rev)
  const same = async (t: Test, request: Buffer, version: 0 | 2, name: string) => {
    const [ours, gits] = [await askUs(source, request, { version }), askGitItself(source, request, version)]
    t.same(linesBeforePack(ours), linesBeforePack(gits), name)
    return ours
  }
  return { folder, source, id, same }
}

const unknown = 'f'.repeat(40)

t.test('group 19: version 0 with every way to acknowledge', async (t) => {
  const { id, same } = await openSource(t)
  const [tip, parent, old] = [await id('main'), await id('main~1'), await id('main~9')]
  const rounds: Record<string, string[]> = {
    done: ['done'],
    'one and done': [`have ${parent}`, 'done'],
    flush: [`have ${parent}`, '0000'],
    'unknown, flush': [`have ${unknown}`, '0000'],
    'old, unknown, flush': [`have ${old}`, `have ${unknown}`, '0000'],
    'enough, unknown, flush': [`have ${tip}`, `have ${unknown}`, '0000'],
    'enough, flush': [`have ${tip}`, '0000'],
    'several, done': [`have ${unknown}`, `have ${old}`, `have ${tip}`, 'done'],
    'unknown, done': [`have ${unknown}`, 'done'],
    'state sent again': [`have ${old}`, '0000', `have ${tip}`, '0000'],
    nothing: [],
  }
  for (const mode of ['', 'multi_ack', 'multi_ack_detailed', 'multi_ack_detailed no-done', 'no-done']) {
    for (const [name, haves] of Object.entries(rounds)) {
      await same(t, packets(`want ${tip} side-band-64k ${mode}`, '0000', ...haves), 0, `${mode}: ${name}`)
    }
  }
})

t.test('group 20: rounds of version 2', async (t) => {
  const { id, same } = await openSource(t)
  const [tip, parent, old, tree] = [await id('main'), await id('main~1'), await id('main~9'), await id('main^{tree}')]
  const asked: Record<string, string[]> = {
    'no haves': [`want ${tip}`],
    'ready, then the pack': [`want ${tip}`, `have ${parent}`],
    'not ready': [`want ${tip}`, `want ${await id('topic-1')}`, `have ${old}`],
    NAK: [`want ${tip}`, `have ${unknown}`],
    'done: no acknowledgments': [`want ${tip}`, `have ${parent}`, 'done'],
    'waits for done': [`want ${tip}`, `have ${parent}`, 'wait-for-done'],
    'waits, and is done': [`want ${tip}`, `have ${parent}`, 'wait-for-done', 'done'],
    'acknowledged without wants': [`have ${parent}`, `have ${unknown}`, 'wait-for-done'],
    'haves without wants': [`have ${parent}`],
    'trees do not hold up': [`want ${tip}`, `want ${tree}`, `have ${parent}`],
    nothing: [],
  }
  for (const [name, args] of Object.entries(asked)) await same(t, fetchCommand(...args), 2, name)
})

t.test('group 21: haves that are unknown, many, the same, or of tags', async (t) => {
  const { folder, source, id, same } = await openSource(t)
  const [tip, parent] = [await id('main'), await id('main~1')]
  const many = Array.from({ length: 12_000 }, (_, n) => `have ${n.toString(16).padStart(40, '0')}`)
  await same(t, fetchCommand(`want ${tip}`, `want ${tip}`, ...many, `have ${parent}`), 2, 'many')
  const twice = linesBeforePack(await askUs(source, fetchCommand(`want ${tip}`, `have ${parent}`, `have ${parent}`)))
  t.equal(twice.filter((line) => line.startsWith('ACK')).length, 1, 'acknowledged once')
  await same(t, fetchCommand(`want ${tip}`, `have ${await id('nested')}`), 2, 'a tag of a tag')
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  await git(folder, 'clone', '-q', '--bare', '--no-tags', '--single-branch', `file://${source}`, 'client.git')
  const client = join(folder, 'client.git')
  importCommits(client, 'refs/heads/own', 'refs/heads/main~1', 300)
  const negotiate = (url: string) => git(client, 'fetch', '--negotiate-only', '--negotiation-tip=own', url)
  t.equal(await negotiate(server.url), await negotiate(`file://${source}`), '--negotiate-only')
  const next = await git(source, 'commit-tree', '-p', 'main', '-m', 'n', 'main^{tree}')
  await git(source, 'update-ref', 'refs/heads/main', next)
  for (const algorithm of ['skipping', 'noop', 'consecutive']) {
    await git(client, '-c', `fetch.negotiationAlgorithm=${algorithm}`, 'fetch', '-q', server.url, `main:${algorithm}`)
    t.equal(await git(client, 'rev-parse', algorithm), next)
  }
  t.same(server.failures, [])
})

t.test('group 22: wants of every type, and those that cannot be had', async (t) => {
  const { source, id } = await openSource(t)
  for (const rev of ['main', 'main~7', 'nested', 'inner', 'main~4^{tree}', 'main:dir-1']) {
    t.match(await askUs(source, fetchCommand(`want ${await id(rev)}`, 'done')), /^000dpackfile\n/, rev)
  }
  const lost = await git(source, 'commit-tree', '-m', 'lost', 'main^{tree}')
  const own = gitSync(source, ['hash-object', '-w', '--stdin'], 'own').toString().trim()
  for (const want of [unknown, lost, own]) {
    for (const version of [0, 2] as const) {
      const request = version === 0 ? packets(`want ${want}`, '0000', 'done') : fetchCommand(`want ${want}`, 'done')
      t.equal((await askUs(source, request, { version })).slice(4), `ERR upload-pack: not our ref ${want}`)
    }
  }
  // The ref has moved away since it was advertised, and nobody says that it led there.
  const before = await id('main')
  await git(source, 'update-ref', 'refs/heads/main', 'main~1')
  const host = { refusedWants: async () => [] }
  t.match(await askUs(source, fetchCommand(`want ${before}`, 'done'), { host }), /packfile/)
})

t.test('group 23: wants by name', async (t) => {
  const { folder, source, id, same } = await openSource(t)
  const tip = await id('main')
  await same(t, fetchCommand('want-ref refs/heads/main', 'want-ref refs/tags/nested', 'done'), 2, 'two')
  await same(t, fetchCommand('want-ref refs/heads/main', 'want-ref refs/heads/main', 'done'), 2, 'twice')
  await same(t, fetchCommand('want-ref HEAD', `have ${await id('main~1')}`), 2, 'HEAD')
  for (const name of ['refs/heads/absent', 'main', 'refs/heads', '']) {
    t.equal((await askUs(source, fetchCommand(`want-ref ${name}`))).slice(4), `ERR unknown ref ${name}`)
  }
  const hidden: Pick<RefSnapshot, 'headTarget' | 'headId' | 'refs'> = {
    headTarget: undefined,
    headId: undefined,
    refs: RefList.of([]),
  }
  const host = { refs: async () => hidden }
  t.match(await askUs(source, fetchCommand('want-ref refs/heads/main'), { host }), 'ERR unknown ref refs/heads/main')
  const both = linesBeforePack(await askUs(source, fetchCommand('want-ref refs/heads/main', 'deepen 1')))
  t.same(both, ['shallow-info', `shallow ${tip}`, '0001', 'wanted-refs', `${tip} refs/heads/main`, '0001', 'packfile'])
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  await git(folder, 'clone', '-q', '--depth=2', server.url, 'clone')
  t.equal(await git(join(folder, 'clone'), 'rev-parse', 'HEAD'), tip)
})

t.test('group 24: bands, progress, tags that come along', async (t) => {
  const { folder, source, id } = await openSource(t)
  const tip = await id('main')
  const v0 = (capabilities: string) =>
    askUs(source, packets(`want ${tip} ${capabilities}`, '0000', 'done'), { version: 0 })
  t.match(await v0('side-band'), '\x02Enumerating objects: ')
  const small = await v0('side-band no-progress')
  t.notMatch(small, 'Enumerating')
  t.equal(small.slice(8, 13), '03e8\x01', 'packets of 1,000 bytes')
  const large = await v0('side-band-64k no-progress')
  t.ok(Number.parseInt(large.slice(8, 12), 16) > 1_000)
  t.equal((await v0('')).slice(8, 12), 'PACK', 'none at all')
  const all = await askUs(
    source,
    fetchCommand(`want ${tip}`, `have ${await id('main~1')}`, 'sideband-all', 'no-progress'),
  )
  const sections = ['0015\x01acknowledgments\n0032\x01ACK ', '\n000b\x01ready\n0001000e\x01packfile\n', '\x01PACK']
  t.ok(all.startsWith(sections[0]))
  for (const section of sections) t.ok(all.includes(section), section)
  t.match(
    await askUs(source, fetchCommand(`want ${unknown}`, 'sideband-all')),
    `\x03upload-pack: not our ref ${unknown}`,
  )
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  const branch = await git(source, 'for-each-ref', '--format=%(refname:short)', '--contains=inner^{}', 'refs/heads')
  for (const [name, url] of Object.entries({ ours: server.url, gits: `file://${source}` })) {
    await git(folder, 'clone', '-q', '--single-branch', '-b', branch, url, name)
  }
  const tagsOf = (name: string) =>
    git(join(folder, name), 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/tags')
  t.equal(await tagsOf('ours'), await tagsOf('gits'))
  t.match(await tagsOf('ours'), 'refs/tags/nested')
  await git(join(folder, 'ours'), 'cat-file', '-e', 'inner')
})

t.test('group 25: deltas as the client can read them, and packs of nothing', async (t) => {
  const { folder, source, id } = await openSource(t)
  await git(source, 'repack', '-adqf', '--depth=50')
  const tip = await id('main')
  const indexed = async (capabilities: string) => {
    const answer = await askUs(source, packets(`want ${tip} ${capabilities}`, '0000', 'done'), { version: 0 })
    return Buffer.from(answer.slice(8), 'latin1')
  }
  t.ok(countEntries(await indexed('ofs-delta'), 6) > 0)
  const named = await indexed('')
  t.equal(countEntries(named, 6), 0, 'no OFS_DELTA')
  t.ok(countEntries(named, 7) > 0)
  const none = await askUs(source, packets(`want ${tip}`, '0000', `have ${tip}`, 'done'), { version: 0 })
  t.ok(none.includes('PACK\0\0\0\x02\0\0\0\0'))
  const server = await startGitServer(source)
  t.teardown(() => server.close())
  for (const config of ['true', 'false']) {
    await git(folder, '-c', `repack.useDeltaBaseOffset=${config}`, 'clone', '-q', server.url, config)
    t.equal((await tryGit(join(folder, config), 'fsck', '--strict')).status, 0)
  }
})

/** How many entries of a pack have this type code: told by git, which explains none, so read from the headers. */
function countEntries(pack: Buffer, typeCode: number): number {
  const count = pack.readUInt32BE(8)
  let position = 12
  let found = 0
  for (let entry = 0; entry < count; entry++) {
    const type = (pack[position] >> 4) & 7
    if (type === typeCode) found++
    while (pack[position++] & 0x80);
    if (type === 6) while (pack[position++] & 0x80);
    if (type === 7) position += 20
    const { engine } = inflateSync(pack.subarray(position), { info: true }) as unknown as {
      engine: { bytesWritten: number }
    }
    position += engine.bytesWritten
  }
  return found
}
