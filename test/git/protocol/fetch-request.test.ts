/** What a client may ask for, at and beyond the limits. Whole conversations are tested in upload-pack.test.ts. */
import t from 'tap'
import { allOffers } from '../../../src/git/protocol/capabilities.ts'
import { parseFetchArguments, parseWants, readHaves } from '../../../src/git/protocol/fetch-request.ts'
import { dataPacket, delimPacket, flushPacket, PacketReader } from '../../../src/git/protocol/pkt-line.ts'

const limits = { gitWantsMax: 3, gitHavesMax: 3, gitDepthMax: 100, gitFilterPartsMax: 3, gitFilterDepthMax: 3 }
const grammar = { limits, offers: allOffers }
const noOffers = { ...allOffers, filter: false, refInWant: false, sidebandAll: false }
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
  const request = await parseWants(reader, grammar)
  return request && { ...request, round: await readHaves(reader, limits) }
}
const version2 = (...lines: string[]) => parseFetchArguments(packets(...lines), grammar)
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
  for (const text of ['deepen 0', 'deepen 101', 'deepen -1', 'deepen 1x', 'deepen ', 'deepen 99999999999']) {
    await t.rejects(depthOf(text), { code: 'InputInvalid', message: `invalid ${text.replace(' ', ': ')}` })
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
  for (const text of ['filter blob:none', 'want-ref refs/heads/main', 'sideband-all']) {
    await t.resolves(version2(text, '0000'))
    const withoutIt = parseFetchArguments(packets(text, '0000'), { limits, offers: noOffers })
    await t.rejects(
      withoutIt,
      { code: 'InputInvalid', message: `unexpected line: '${text}'` },
      'where it is not offered',
    )
  }
  await t.rejects(version2('done', '0001'), { message: 'expected flush after fetch arguments' })
  await t.rejects(version0(`want ${id('a')}`), { code: 'InputTruncated' })
  await t.rejects(version0(`want ${id('a')}`, '0000', `have ${id('b')}`), { code: 'InputTruncated' })
})

t.test('dates, refs to stay away from, and what cannot be combined', async (t) => {
  t.match(await version2('deepen-since 1700000000', 'deepen-not v1', 'deepen-not main', '0000'), {
    deepenSinceSeconds: 1_700_000_000,
    deepenNot: ['v1', 'main'],
  })
  for (const text of ['deepen-since x', 'deepen-since -1', 'deepen-since 0']) {
    await t.rejects(version2(text, '0000'), { code: 'InputInvalid', message: /^invalid deepen-since: / })
  }
  for (const other of ['deepen-since 5', 'deepen-not v1']) {
    const both = { code: 'InputInvalid', message: /cannot be used together/ }
    await t.rejects(version2('deepen 1', other, '0000'), both)
    await t.rejects(version0(`want ${id('a')}`, other, 'deepen 1', '0000'), both)
  }
})

t.test('filters: one, and in version 0 only where it was agreed on', async (t) => {
  t.match(await version2('filter tree:2', '0000'), { filter: { treeDepth: 2 } })
  await t.rejects(version2('filter tree:2', 'filter blob:none', '0000'), { message: /cannot be combined/ })
  t.match(await version0(`want ${id('a')} filter`, 'filter tree:2', '0000'), { filter: { treeDepth: 2 } })
  await t.rejects(version0(`want ${id('a')}`, 'filter tree:2', '0000'), { message: /not negotiated/ })
})

t.test('the rest of version 2', async (t) => {
  t.match(await version2('want-ref refs/heads/main', 'wait-for-done', 'sideband-all', '0000'), {
    wantedRefs: ['refs/heads/main'],
    waitsForDone: true,
    isSidebandAll: true,
  })
})
