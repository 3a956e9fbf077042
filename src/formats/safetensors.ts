/**
 * Headers of safetensors files: eight bytes of length, then JSON that names every tensor's type and shape. Only headers are
 * read; the tensors may be hundreds of gigabytes.
 */

/** How many parameters there are, by type and in all. */
export interface ParameterCounts {
  parameters: Record<string, number>
  total: number
}

/** The bytes before the header. */
export const lengthBytes = 8

/** How many bytes of JSON follow; undefined where the first bytes are not those of such a file. */
export function readHeaderLength(start: Uint8Array, sizeBytes: number): number | undefined {
  if (start.length < lengthBytes) return undefined
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  // 2^53 bytes are more than any file has.
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
  return length >= 2 && length <= sizeBytes - lengthBytes ? length : undefined
}

/** Counts what a header names; undefined where it is none. */
export function countParameters(header: Uint8Array): ParameterCounts | undefined {
  const tensors = parseObject(header)
  if (tensors === undefined) return undefined
  const parameters: Record<string, number> = Object.create(null)
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name === '__metadata__') continue
    const { dtype, shape } = (tensor ?? {}) as { dtype?: unknown; shape?: unknown }
    if (typeof dtype !== 'string' || !/^[A-Z0-9_]{1,16}$/.test(dtype) || !Array.isArray(shape)) return undefined
    const count = shape.reduce((product: number, size) => product * (isSize(size) ? size : Number.NaN), 1)
    if (!Number.isSafeInteger(count)) return undefined
    parameters[dtype] = (parameters[dtype] ?? 0) + count
  }
  return addCounts([{ parameters, total: 0 }])
}

/** The parameters of all files of one model. */
export function addCounts(counts: readonly ParameterCounts[]): ParameterCounts {
  const sums = new Map<string, number>()
  for (const { parameters } of counts) {
    for (const [dtype, count] of Object.entries(parameters)) sums.set(dtype, (sums.get(dtype) ?? 0) + count)
  }
  const total = [...sums.values()].reduce((sum, count) => sum + count, 0)
  return { parameters: Object.fromEntries(sums), total }
}

/** The names of the files that an index (`model.safetensors.index.json`) says the tensors lie in; undefined where it is none. */
export function listShards(index: Uint8Array): string[] | undefined {
  const weights = parseObject(index)?.weight_map
  if (typeof weights !== 'object' || weights === null) return undefined
  const names = new Set<unknown>(Object.values(weights))
  return [...names].every((name) => typeof name === 'string') ? ([...names] as string[]) : undefined
}

function parseObject(json: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
