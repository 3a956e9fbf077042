import t from 'tap'
import {
  emptyEntryHeader,
  readEntryHeader,
  readPackHeader,
  typeCodes,
  writeEntryHeader,
  writeOfsDistance,
  writePackHeader,
} from '../../../src/git/pack/format.ts'

const sizes = [0, 1, 15, 16, 127, 128, 2047, 2048, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40 + 3, 2 ** 53 - 1]

t.test('entry headers round-trip up to 2^53, and a cut one says so', async (t) => {
  const header = emptyEntryHeader()
  const bytes = Buffer.alloc(40)
  for (const sizeBytes of sizes) {
    const end = writeEntryHeader(bytes, 3, typeCodes.tree, sizeBytes)
    t.ok(readEntryHeader(bytes, 3, end, header))
    t.same(header, { typeCode: 2, sizeBytes, baseDistance: 0, baseIdAt: -1, dataAt: end })
    t.notOk(readEntryHeader(bytes, 3, end - 1, header))
    if (sizeBytes === 0) continue
    const behind = writeOfsDistance(bytes, writeEntryHeader(bytes, 0, typeCodes.ofsDelta, 7), sizeBytes)
    t.ok(readEntryHeader(bytes, 0, behind, header))
    t.same([header.baseDistance, header.dataAt], [sizeBytes, behind])
    t.notOk(readEntryHeader(bytes, 0, behind - 1, header))
  }
  const end = writeEntryHeader(bytes, 0, typeCodes.refDelta, 300)
  t.ok(readEntryHeader(bytes, 0, end + 20, header))
  t.same([header.baseIdAt, header.dataAt], [end, end + 20])
  t.notOk(readEntryHeader(bytes, 0, end + 19, header))
})

t.test('numbers above 2^53 and unknown types are refused', async (t) => {
  const header = emptyEntryHeader()
  const endless = Buffer.alloc(40, 255)
  for (const first of [0x90, 0xe0]) {
    endless[0] = first
    t.throws(() => readEntryHeader(endless, 0, 40, header), { code: 'PackInvalid' })
  }
  endless.fill(255, 1).set([0x60], 0)
  t.throws(() => readEntryHeader(endless, 0, 40, header), { code: 'PackInvalid', message: /absurd base/ })
  for (const first of [0, 0x50]) {
    t.throws(() => readEntryHeader(Buffer.from([first]), 0, 1, header), { code: 'PackInvalid' })
  }
})

t.test('pack headers round-trip', async (t) => {
  t.equal(readPackHeader(writePackHeader(0xfffffffe)), 0xfffffffe)
  t.throws(() => readPackHeader(Buffer.from('PACK')), { code: 'PackInvalid' })
})
