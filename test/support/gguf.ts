/** GGUF files as llama.cpp writes them, small enough for a test. */

type Value = string | number | boolean | string[] | bigint

export interface GgufTensor {
  name: string
  shape: number[]
}

/** The header of a version 3 file with these keys and tensors, and `tail` bytes behind it. */
export function writeGguf(keys: Record<string, Value>, tensors: GgufTensor[], tail = 0): Buffer {
  return Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3),
    uint64(tensors.length),
    uint64(Object.keys(keys).length),
    ...Object.entries(keys).flatMap(([name, value]) => [text(name), ...typed(value)]),
    ...tensors.flatMap(({ name, shape }) => [
      text(name),
      uint32(shape.length),
      ...shape.map(uint64),
      uint32(0),
      uint64(0),
    ]),
    Buffer.alloc(tail),
  ])
}

function typed(value: Value): Buffer[] {
  if (typeof value === 'string') return [uint32(8), text(value)]
  if (typeof value === 'boolean') return [uint32(7), Buffer.from([Number(value)])]
  if (typeof value === 'bigint') return [uint32(10), uint64(Number(value))]
  if (typeof value === 'number') return [uint32(4), uint32(value)]
  return [uint32(9), uint32(8), uint64(value.length), ...value.map(text)]
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint64(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
