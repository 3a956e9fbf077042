/** What a client may ask for, at and beyond the limits. Whole conversations are tested in upload-pack.test.ts. */
import t from 'tap'
import { parseCommand, parseFetchArguments, parseWants, readHaves } from '../../../src/git/protocol/fetch-request.ts'
import { dataPacket, delimPacket, flushPacket, PacketReader } from '../../../src/git/protocol/pkt-line.ts'

const limits = { gitWantsMax: 3, gitHavesMax: 3, gitDepthMax: 100 }
const id = (digit: string) => digit.repeat(40)

/** Lines as packets; '0000' and '0001' stand for themselves. */
function packets(...lines: string[]): PacketReader {
  const special: Record<string, Buffer> = { '0000': flushPacket, '0001': delimPacket }
  const bytes = Buffer.concat(lines.map((line) => special[line] ?? dataPacket(`${line}\n`)))
  const stream = (async function* () {
    yield bytes
  })()
  return new PacketReader(stream, 1_000_000)
}

const version0 = async (...lines: string[]) => {
  const reader = packets(...lines)
  const request = await parseWants(reader, limits)
  return request && { ...request, round: await readHaves(reader, limits) }
}
const version2 = (...lines: string[]) => parseFetchArguments(packets(...lines), limits)
const repeat = (count: number, line: string) => Array.from({ length: count }, () => line)

t.test('version 0: capabilities of the first want, shallow lines, and how the haves end', async (t) => {
  const wants = [`want ${id('a')} side-band-64k thin-pack no-done multi_ack_detailed`, `want ${id('b')}`]
  t.match(await version0(...wants, `shallow ${id('c')}`, 'deepen 5', '0000', `have ${id('d')}`, 'done'), {
    wants: [id('a'), id('b')],
    round: { haves: [id('d')], end: 'done' },
    shallow: [id('c')],
    depth: 5,
    ackMode: 'multi_ack_detailed',
    sideBand: 65_515,
    thinPack: true,
    noDone: true,
    ofsDelta: false,
  })
  t.match(await version0(...wants, '0000', `have ${id('d')}`, '0000'), { round: { end: 'flush' } })
  t.match(await version0(...wants, '0000'), { round: { end: 'eof', haves: [] } })
  t.equal(await version0('0000'), undefined)
  t.match(await version0(`want ${id('a')}`, '0000', 'done'), { ackMode: 'none', sideBand: undefined })
})

t.test('version 2: arguments in any order', async (t) => {
  const lines = [
    'done',
    'ofs-delta',
    `have ${id('b')}`,
    'deepen 1',
    'deepen-relative',
    `want ${id('a')}`,
    'include-tag',
  ]
  t.match(await version2(...lines, '0000'), {
    wants: [id('a')],
    haves: [id('b')],
    isDone: true,
    depth: 1,
    isDepthRelative: true,
    ofsDelta: true,
    includeTag: true,
    sideBand: 65_515,
  })
  t.match(await version2(`want ${id('a')}`, '0000'), { isDone: false })
  await t.rejects(version2(`want ${id('a')}`), { code: 'InputTruncated' })
})

t.test('as many as the limits say, and no more', async (t) => {
  for (const parse of [
    (line: string, count: number) => version2(...repeat(count, line), '0000'),
    (line: string, count: number) => {
      if (line.startsWith('want')) return version0(...repeat(count, line), '0000', 'done')
      const isHave = line.startsWith('have')
      const [before, after] = [isHave ? [] : repeat(count, line), isHave ? repeat(count, line) : []]
      return version0(`want ${id('a')}`, ...before, '0000', ...after, 'done')
    },
  ]) {
    for (const line of [`want ${id('a')}`, `have ${id('a')}`, `shallow ${id('a')}`]) {
      await t.resolves(parse(line, 3), line)
      await t.rejects(parse(line, 4), { code: 'InputTooLarge' }, line)
    }
  }
})

t.test('depths', async (t) => {
  const depthOf = async (text: string) => (await version2(`want ${id('a')}`, text, '0000')).depth
  t.equal(await depthOf('deepen 100'), 100)
  t.equal(await depthOf('deepen 0'), undefined, 'asks for nothing, as in git')
  for (const text of ['deepen 101', 'deepen -1', 'deepen 1x', 'deepen ', 'deepen 99999999999']) {
    await t.rejects(depthOf(text), { code: 'InputInvalid', message: `invalid deepen: ${text}` })
  }
})

t.test('what is not understood is repeated, cut short', async (t) => {
  const long = `wont ${'x'.repeat(1_000)}`
  for (const refused of [version2(long, '0000'), version0(long, '0000')]) {
    await t.rejects(refused, { code: 'InputInvalid', message: /^unexpected line: 'wont x{75}'$/ })
  }
  await t.rejects(version0(`want ${id('a')}`, '0000', `want ${id('b')}`), { message: /unexpected line: 'want b/ })
  for (const text of [id('A'), id('a').slice(1), `${id('a')}0`, '']) {
    await t.rejects(version2(`want ${text}`, '0000'), { code: 'InputInvalid', message: /invalid object id/ })
  }
  for (const text of ['filter blob:none', 'deepen-since 1', 'deepen-not main', 'want-ref refs/heads/main']) {
    await t.rejects(version2(text, '0000'), { code: 'InputInvalid', message: `unexpected line: '${text}'` })
  }
  await t.rejects(version0(`want ${id('a')}`), { code: 'InputTruncated' })
  await t.rejects(version0(`want ${id('a')}`, '0000', `have ${id('b')}`), { code: 'InputTruncated' })
})

t.test('commands of version 2', async (t) => {
  t.match(await parseCommand(packets('command=fetch', 'agent=git/2', '0001')), { command: 'fetch', hasArguments: true })
  t.match(await parseCommand(packets('command=ls-refs', '0000')), { command: 'ls-refs', hasArguments: false })
  t.equal(await parseCommand(packets('0000')), undefined)
  t.equal(await parseCommand(packets()), undefined)
  await t.rejects(parseCommand(packets('agent=git/2', '0000')), { message: 'no command requested' })
  await t.rejects(parseCommand(packets('command=fetch')), { code: 'InputTruncated' })
  const sha256 = parseCommand(packets('command=fetch', 'object-format=sha256', '0001'))
  await t.rejects(sha256, { code: 'InputInvalid', message: /keeps sha1 repositories; sha256/ })
})
