/** Safetensors files whose tensors are zeros. */

/** A file with these tensors, of the type F32, or of the one given. */
export function writeSafetensors(shapes: Record<string, number[]>, dtype = 'F32'): Buffer {
  let end = 0
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const start = end
    end += shape.reduce((product, size) => product * size, 4)
    return [name, { dtype, shape, data_offsets: [start, end] }]
  })
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(tensors) }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(end)])
}
