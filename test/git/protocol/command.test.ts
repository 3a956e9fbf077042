import t from 'tap'
import { parseCommand } from '../../../src/git/protocol/command.ts'
import { dataPacket, delimPacket, flushPacket, PacketReader } from '../../../src/git/protocol/pkt-line.ts'

const limits = { gitServerOptionsMax: 2 }

function parse(...lines: string[]) {
  const special: Record<string, Buffer> = { '0000': flushPacket, '0001': delimPacket }
  const bytes = Buffer.concat(lines.map((line) => special[line] ?? dataPacket(`${line}\n`)))
  const stream = (async function* () {
    yield bytes
  })()
  return parseCommand(new PacketReader(stream, 1_000_000), limits)
}

t.test('commands, and what the client tells of itself', async (t) => {
  t.match(await parse('command=fetch', 'agent=git/2', '0001'), { command: 'fetch', hasArguments: true })
  t.match(await parse('command=ls-refs', '0000'), { command: 'ls-refs', hasArguments: false })
  const lines = ['agent=git/2', 'session-id=s1', 'server-option=a=b', 'server-option=c', 'command=object-info']
  t.match(await parse(...lines, '0001'), {
    command: 'object-info',
    notes: { agent: 'git/2', sessionId: 's1', serverOptions: ['a=b', 'c'] },
  })
  t.equal(await parse('0000'), undefined)
  t.equal(await parse(), undefined)
})

t.test('what is refused', async (t) => {
  await t.rejects(parse('agent=git/2', '0000'), { message: 'no command requested' })
  await t.rejects(parse('command=fetch'), { code: 'InputTruncated' })
  await t.rejects(parse('command=push', '0000'), { code: 'InputInvalid', message: "invalid command 'push'" })
  await t.rejects(parse('command=fetch', 'command=ls-refs', '0000'), {
    message: /after already requesting command 'fetch'/,
  })
  await t.rejects(parse('fetch', '0000'), { message: "unknown capability 'fetch'" })
  await t.rejects(parse('command=fetch', 'colour=red', '0000'), { message: "unknown capability 'colour=red'" })
  const options = ['a', 'b', 'c'].map((value) => `server-option=${value}`)
  await t.rejects(parse('command=fetch', ...options, '0000'), { code: 'InputTooLarge' })
  const sha256 = parse('command=fetch', 'object-format=sha256', '0001')
  await t.rejects(sha256, { code: 'InputInvalid', message: /keeps sha1 repositories; sha256/ })
})
