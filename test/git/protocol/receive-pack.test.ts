/** Real git clients push through `receivePack` to a host that takes note of what it gets. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { PushHost, PushRequest } from '../../../src/git/host.ts'
import { nullId, type ObjectId } from '../../../src/git/object-id.ts'
import { receivePack } from '../../../src/git/protocol/receive-pack.ts'
import { limits, startGitServer } from '../../support/bare-git-server.ts'
import { git, makeHistory, temporaryFolder, tryGit } from '../../support/git-client.ts'

type Received = Omit<PushRequest, 'pack' | 'progress' | 'signal'> & { packBytes: Buffer | undefined }

const signal = new AbortController().signal

/** Accepts everything but refs whose names end in `-no`. */
function scriptedHost(): PushHost & { pushes: Received[] } {
  const pushes: Received[] = []
  return {
    pushes,
    async push({ commands, atomic, pushOptions, pack, progress }) {
      const chunks: Uint8Array[] = []
      if (pack !== undefined) for await (const chunk of pack) chunks.push(chunk)
      progress('counting\r')
      progress('Looked at the pack.\n')
      pushes.push({ commands, atomic, pushOptions, packBytes: pack && Buffer.concat(chunks) })
      const results = commands.map(({ name }) => ({ name, reason: name.endsWith('-no') ? 'not this one' : undefined }))
      return { unpack: 'ok', results }
    },
  }
}

async function prepare(t: Test) {
  const folder = temporaryFolder(t)
  const client = join(folder, 'client.git')
  makeHistory(client, { seed: 41, commits: 60 })
  const server = join(folder, 'server.git')
  await git(folder, 'clone', '-q', '--bare', '--single-branch', '--no-tags', `file://${client}`, server)
  await git(server, 'update-ref', 'refs/heads/main', 'main~1')
  const host = scriptedHost()
  const { url, close, failures, requests } = await startGitServer(server, host)
  t.teardown(close)
  return { folder, client, server, host, url, failures, requests }
}

t.test('creates, updates and deletes in one push, with a report', async (t) => {
  const { client, server, host, url, failures } = await prepare(t)
  await git(server, 'update-ref', 'refs/heads/old', 'main')
  const [before, tip] = [await git(server, 'rev-parse', 'main'), await git(client, 'rev-parse', 'main')]
  const pushed = await tryGit(
    client,
    'push',
    url,
    'main',
    'main:refs/heads/new',
    ':old',
    'main:refs/heads/x-no',
    'nested',
  )
  t.not(pushed.status, 0)
  t.match(pushed.stderr, 'remote: Looked at the pack.')
  t.match(pushed.stderr, /new branch\]\s+main -> new/)
  t.match(pushed.stderr, /remote rejected\] main -> x-no \(not this one\)/)
  t.equal(host.pushes.length, 1)
  const [{ commands, packBytes, atomic }] = host.pushes
  t.same(
    new Map(commands.map(({ name, oldId, newId }) => [name, [oldId, newId]])),
    new Map([
      ['refs/heads/main', [before, tip]],
      ['refs/heads/new', [undefined, tip]],
      ['refs/heads/old', [before, undefined]],
      ['refs/heads/x-no', [undefined, tip]],
      ['refs/tags/nested', [undefined, await git(client, 'rev-parse', 'nested')]],
    ]),
  )
  t.notOk(atomic)
  const { status, stderr } = spawnSync('git', ['index-pack', '--stdin', '--fix-thin'], {
    cwd: server,
    input: packBytes,
  })
  t.equal(status, 0, String(stderr))
  t.same(failures, [])
})

t.test('group 32: a push that only deletes sends no pack; quiet pushes show messages only', async (t) => {
  const { client, server, host, url } = await prepare(t)
  await git(server, 'update-ref', 'refs/heads/old', 'main')
  const { status, stderr } = await tryGit(client, 'push', '-q', url, ':old')
  t.equal(status, 0)
  t.match(stderr, 'Looked at the pack')
  t.notMatch(stderr, 'counting')
  t.equal(host.pushes[0].packBytes, undefined)
})

t.test('group 35: push options and atomic arrive', async (t) => {
  const { client, host, url } = await prepare(t)
  await git(client, 'push', '-q', '--atomic', '-o', 'one', '-o', 'two=ü', url, 'main:a', 'main:b')
  t.equal(host.pushes[0].atomic, true)
  t.same(host.pushes[0].pushOptions, ['one', 'two=ü'])
})

t.test('a large push is probed first and arrives whole', async (t) => {
  const { client, host, url, requests, folder } = await prepare(t)
  writeFileSync(join(folder, 'noise'), randomBytes(300_000))
  const blob = await git(client, 'hash-object', '-w', join(folder, 'noise'))
  await git(client, 'update-ref', 'refs/tags/noise', blob)
  await git(
    client,
    '-c',
    'http.postBuffer=65536',
    '-c',
    'core.compression=0',
    'push',
    '-q',
    url,
    'refs/heads/*',
    'refs/tags/*',
  )
  t.equal(host.pushes.length, 1)
  t.ok((host.pushes[0].packBytes?.length ?? 0) > 65_536)
  t.equal(requests.filter(({ bytes }) => bytes === 4).length, 1)
})

t.test('a shallow clone pushes', async (t) => {
  const { folder, server, host, url } = await prepare(t)
  await git(folder, 'clone', '-q', '--depth=1', `file://${server}`, 'shallow')
  const shallow = join(folder, 'shallow')
  await git(shallow, 'commit', '-q', '--allow-empty', '-m', 'new')
  await git(shallow, 'push', '-q', url, 'HEAD:refs/heads/from-shallow')
  t.equal(host.pushes[0].commands.length, 1)
})

const packet = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text
const id = 'a'.repeat(40)

async function send(host: PushHost, ...pieces: string[]): Promise<string> {
  const chunks: Uint8Array[] = []
  async function* body() {
    yield* pieces.map((piece) => Buffer.from(piece, 'latin1'))
  }
  for await (const chunk of receivePack(host, body(), { limits, signal })) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

t.test('group 32: what was done where it is not what was asked is shown to clients that read it', async (t) => {
  const { client, server, url, host, folder } = await prepare(t)
  const [before, tip] = [await git(server, 'rev-parse', 'main'), await git(client, 'rev-parse', 'main')] as ObjectId[]
  host.push = async ({ commands, pack }) => {
    if (pack !== undefined) for await (const _ of pack);
    const done = { name: 'refs/changes/1', oldId: before, newId: tip, isForced: true }
    return { unpack: 'ok', results: commands.map(({ name }) => ({ name, reason: undefined, done })) }
  }
  const { status, stdout } = await tryGit(client, 'push', '--porcelain', url, 'main:refs/for/main')
  t.equal(status, 0)
  t.match(stdout, `+\trefs/heads/main:refs/changes/1\t${before.slice(0, 7)}...${tip.slice(0, 7)} (forced update)`)
  t.ok(folder)
})

t.test('group 32: three kinds of report, and none', async (t) => {
  const host = scriptedHost()
  const command = `${nullId} ${id} refs/heads/a`
  const answer = (capabilities: string) => send(host, packet(`${command}\0${capabilities}`), '0000PACK')
  const report = '000eunpack ok\n0014ok refs/heads/a\n0000'
  t.equal(await answer('report-status'), report)
  t.equal(await answer('report-status-v2'), report)
  t.equal(await answer(''), '')
  const banded = await answer('report-status side-band-64k')
  t.match(banded, `${packet(`\x01${report}`)}0000`)
  t.match(banded, `\x02Looked at the pack.\n`)
})

t.test('group 32: an error before the pack is read is told once the body has been read', async (t) => {
  const host = scriptedHost()
  let isRead = false
  async function* body() {
    yield Buffer.from(packet(`${nullId} ${id} refs/heads/a\0side-band-64k object-format=sha256`))
    yield Buffer.alloc(100_000)
    isRead = true
  }
  for await (const chunk of receivePack(host, body(), { limits, signal })) {
    t.ok(isRead)
    t.match(String(chunk), '\x03This server keeps sha1 repositories; sha256 was asked for.')
  }
  t.equal(host.pushes.length, 0)
})

t.test('group 35: a certificate that names other options than came with it', async (t) => {
  const host = scriptedHost()
  const answer = await send(
    host,
    packet('push-cert\0report-status push-options'),
    packet('certificate version 0.1\n'),
    packet('push-option one\n'),
    packet('\n'),
    packet(`${nullId} ${id} refs/heads/a\n`),
    packet('-----BEGIN SSH SIGNATURE-----\n'),
    packet('push-cert-end\n'),
    `0000${packet('two')}0000PACK`,
  )
  t.match(answer, 'ng refs/heads/a inconsistent push options\n')
  t.equal(host.pushes.length, 0)
})

t.test('the probe is answered with nothing', async (t) => {
  const host = scriptedHost()
  t.equal(await send(host, '0000'), '')
  t.equal(host.pushes.length, 0)
})

t.test('group 31: names that cannot stand, or stand twice, are refused without asking the host', async (t) => {
  const host = scriptedHost()
  const answer = await send(
    host,
    packet(`${nullId} ${id} refs/heads/a..b\0report-status`),
    packet(`${nullId} ${id} refs/heads/twice`),
    packet(`${nullId} ${id} refs/heads/twice`),
    packet(`${nullId} ${id} refs/heads/good`),
    '0000',
    'PACK',
  )
  t.match(answer, 'unpack ok\n')
  t.match(answer, 'ng refs/heads/a..b funny refname\n')
  t.match(answer, 'ng refs/heads/twice multiple updates for ref not allowed\n')
  t.match(answer, 'ok refs/heads/good\n0000')
  t.same(
    host.pushes[0].commands.map(({ name }) => name),
    ['refs/heads/good'],
  )
  t.equal(String(host.pushes[0].packBytes), 'PACK')
  const atomic = await send(
    host,
    packet(`${nullId} ${id} bad\0report-status atomic`),
    packet(`${nullId} ${id} refs/heads/good`),
    '0000PACK',
  )
  t.match(atomic, 'ng refs/heads/good atomic push failure\n')
  t.equal(host.pushes.length, 1)
})

t.test('group 32: truncated requests change nothing', async (t) => {
  const host = scriptedHost()
  const whole = `${packet(`${nullId} ${id} refs/heads/a\0report-status push-options`)}0000${packet('x')}0000`
  for (let length = 1; length < whole.length; length++) t.match(await send(host, whole.slice(0, length)), 'ERR')
  t.equal(host.pushes.length, 0)
  t.match(await send(host, whole), 'unpack ok')
})

t.test('commands that are no commands', async (t) => {
  const host = scriptedHost()
  t.match(await send(host, packet('nonsense'), '0000'), 'ERR protocol error: expected old/new/ref')
  t.match(await send(host, 'GET / HTTP/1.1\r\n'), 'ERR The request is not made of packets')
  const sha256 = packet(`${nullId} ${id} refs/heads/a\0side-band-64k object-format=sha256`)
  t.match(await send(host, sha256, '0000'), '\x03This server keeps sha1 repositories')
  const banded = packet(`${nullId} ${id} refs/heads/a\0side-band-64k`)
  t.match(await send(host, banded, packet('nonsense')), '\x03protocol error')
})

t.test('a failing host is told of in band 3 and thrown', async (t) => {
  const host: PushHost = { push: () => Promise.reject(new Error('defect')) }
  const answer = receivePack(host, body(), { limits, signal })
  async function* body() {
    yield Buffer.from(`${packet(`${nullId} ${id} refs/heads/a\0side-band-64k`)}0000`)
  }
  t.match(String((await answer.next()).value), '\x03The server failed.')
  await t.rejects(answer.next(), { message: 'defect' })
})

t.test('a client that leaves stops the host', async (t) => {
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const host: PushHost = {
    push: ({ signal, progress }) =>
      new Promise((_, reject) => {
        setImmediate(() => progress('working\n'))
        signal.addEventListener('abort', () => {
          resolve()
          reject(signal.reason)
        })
      }),
  }
  async function* body() {
    yield Buffer.from(`${packet(`${id} ${nullId} refs/heads/a\0side-band-64k`)}0000`)
  }
  const client = new AbortController()
  const answer = receivePack(host, body(), { limits, signal: client.signal })
  const first = answer.next()
  setImmediate(() => client.abort())
  await stopped
  await first.catch(() => {})
  t.pass('the host was told')
})

t.test('a stream that is left stops the host, and waits for it', async (t) => {
  let isStopped = false
  const host: PushHost = {
    async push({ signal, progress, pack }) {
      for await (const _ of pack!);
      setImmediate(() => progress('working\n'))
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await new Promise(setImmediate)
      isStopped = true
      throw signal.reason
    },
  }
  async function* body() {
    yield Buffer.from(`${packet(`${nullId} ${id} refs/heads/a\0side-band-64k`)}0000PACK`)
  }
  const answer = receivePack(host, body(), { limits, signal })
  t.match(String((await answer.next()).value), 'working')
  await answer.return(undefined)
  t.ok(isStopped)
})
