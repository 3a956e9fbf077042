import t from 'tap'
import { addCounts, countParameters, listShards, readHeaderLength } from '../../src/formats/safetensors.ts'

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const tensor = (dtype: string, ...shape: number[]) => ({ dtype, shape, data_offsets: [0, 0] })

t.test('the length before the header', async (t) => {
  const start = (length: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(length)
    return bytes
  }
  t.equal(readHeaderLength(start(100n), 1000), 100)
  t.equal(readHeaderLength(start(992n), 1000), 992)
  t.equal(readHeaderLength(start(993n), 1000), undefined)
  t.equal(readHeaderLength(start(2n ** 63n), 1000), undefined)
  t.equal(readHeaderLength(start(0n), 1000), undefined)
  t.equal(readHeaderLength(Buffer.alloc(7), 7), undefined)
})

t.test('parameters by type and in all', async (t) => {
  const header = {
    __metadata__: { format: 'pt' },
    a: tensor('F32', 2, 3),
    b: tensor('BF16', 4),
    c: tensor('F32'),
    d: tensor('I64', 0),
  }
  t.same(countParameters(json(header)), { parameters: { F32: 7, BF16: 4, I64: 0 }, total: 11 })
  const two = { parameters: { F32: 7 }, total: 7 }
  t.same(addCounts([two, two, { parameters: { BF16: 1 }, total: 1 }]), { parameters: { F32: 14, BF16: 1 }, total: 15 })
})

t.test('what is no header', async (t) => {
  const bad = [
    [],
    'x',
    { a: 1 },
    { a: null },
    { a: tensor('F32', -1) },
    { a: tensor('F32', 1.5) },
    { a: tensor('f32;', 1) },
  ]
  for (const value of [...bad, { a: tensor('F32', 2 ** 40, 2 ** 40) }, { a: { dtype: 'F32' } }]) {
    t.equal(countParameters(json(value)), undefined, JSON.stringify(value))
  }
  t.equal(countParameters(Buffer.from('{"a":')), undefined)
})

t.test('the files of an index', async (t) => {
  const index = {
    metadata: { total_size: 1 },
    weight_map: { a: 'm-1.safetensors', b: 'm-1.safetensors', c: 'm-2.safetensors' },
  }
  t.same(listShards(json(index)), ['m-1.safetensors', 'm-2.safetensors'])
  for (const value of [{}, { weight_map: 1 }, { weight_map: { a: 1 } }]) t.equal(listShards(json(value)), undefined)
})
