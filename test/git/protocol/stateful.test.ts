/** Real git clients over standard input and output: one conversation of several requests or rounds on one stream. */
import { join } from 'node:path'
import t from 'tap'
import { dataPacket, delimPacket, flushPacket } from '../../../src/git/protocol/pkt-line.ts'
import { uploadPack } from '../../../src/git/protocol/upload-pack.ts'
import { limits, withBareHost } from '../../support/bare-git-server.ts'
import { git, importCommits, makeHistory, temporaryFolder } from '../../support/git-client.ts'

const command = `${process.execPath} ${join(import.meta.dirname, '../../support/serve-stdio.ts')}`
const objectsOf = async (path: string) =>
  (await git(path, 'rev-list', '--objects', '--all', '--no-object-names')).split('\n').sort().join('\n')

for (const version of [0, 1, 2]) {
  const protocol = ['-c', `protocol.version=${version}`]

  t.test(`version ${version}: a shallow clone, more of it, all of it`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 41, commits: 120 })
    const both = async (...args: string[]) => {
      await git(folder, '-C', 'ours', ...protocol, 'fetch', '-q', '--upload-pack', command, 'origin', ...args)
      await git(folder, '-C', 'gits', ...protocol, 'fetch', '-q', 'origin', ...args)
      await git(join(folder, 'ours'), 'fsck', '--strict', '--full')
      t.equal(await objectsOf(join(folder, 'ours')), await objectsOf(join(folder, 'gits')))
    }
    const clone = ['clone', '-q', '--depth=3', `file://${source}`]
    await git(folder, ...protocol, ...clone, '-u', command, 'ours')
    await git(folder, ...protocol, ...clone, 'gits')
    await both('refs/heads/*:refs/remotes/all/*')
    await both('--unshallow')
  })

  t.test(`version ${version}: what is common is kept over the rounds`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 42, commits: 120 })
    await git(folder, 'clone', '-q', '--bare', '--no-tags', '--single-branch', `file://${source}`, 'client.git')
    const client = join(folder, 'client.git')
    // More commits that the server does not know than fit into the first rounds of haves.
    importCommits(client, 'refs/heads/own', 'refs/heads/main~1', 400)
    const next = await git(source, 'commit-tree', '-p', 'main', '-m', 'n', 'main^{tree}')
    await git(source, 'update-ref', 'refs/heads/main', next)
    await git(
      client,
      ...protocol,
      'fetch',
      '-q',
      '--no-tags',
      '-u',
      '--upload-pack',
      command,
      `file://${source}`,
      'main:got',
    )
    t.equal(await git(client, 'rev-parse', 'got'), next)
    t.equal(await git(client, 'count-objects', '-v').then((text) => /^count: (.*)/.exec(text)?.[1]), '1')
  })
}

/** A client that sends one thing, and the next only when it has read the whole answer to the first. */
async function converse(path: string, version: 0 | 2, ...requests: Buffer[][]): Promise<string[]> {
  const answers: string[] = []
  let answer: Buffer[] = []
  async function* body() {
    for (const request of requests) {
      yield Buffer.concat(request)
      answers.push(Buffer.concat(answer).toString('latin1'))
      answer = []
    }
    t.fail('nobody waits for the end of the stream')
  }
  const { signal } = new AbortController()
  await withBareHost(path, async (host) => {
    for await (const chunk of uploadPack(host, body(), { version, limits, signal, isStateful: true })) {
      answer.push(Buffer.from(chunk))
    }
  })
  return [...answers, Buffer.concat(answer).toString('latin1')]
}

t.test('version 2 ends at a flush, at the end, and at the first error', async (t) => {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 43, commits: 10 })
  const lsRefs = [dataPacket('command=ls-refs\n'), delimPacket, dataPacket('ref-prefix HEAD\n'), flushPacket]
  const answers = await converse(source, 2, lsRefs, lsRefs, [flushPacket])
  t.match(answers[0], /^0032[0-9a-f]{40} HEAD\n0000$/)
  t.equal(answers[1], answers[0])
  t.equal(answers[2], '')
  const failed = await converse(source, 2, lsRefs, [dataPacket('command=nonsense\n'), flushPacket])
  t.match(failed[1], /^00..ERR /)
})

t.test('version 0 answers a shallow boundary before it reads haves, and every round', async (t) => {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 44, commits: 30 })
  const [tip, parent] = await Promise.all(['main', 'main~1'].map((rev) => git(source, 'rev-parse', rev)))
  const answers = await converse(
    source,
    0,
    [dataPacket(`want ${tip} multi_ack_detailed\n`), dataPacket('deepen 1\n'), flushPacket],
    [dataPacket(`have ${'b'.repeat(40)}\n`), flushPacket],
    [dataPacket(`have ${parent}\n`), flushPacket],
    [dataPacket('done\n')],
  )
  t.equal(answers[0], `0035shallow ${tip}\n0000`)
  t.equal(answers[1], '0008NAK\n')
  t.equal(answers[2], `0038ACK ${parent} common\n0008NAK\n`)
  t.match(answers[3], new RegExp(`^0031ACK ${parent}\nPACK`))
})
