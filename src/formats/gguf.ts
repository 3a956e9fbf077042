/**
 * Headers of GGUF files, versions 2 and 3 (ggml docs/gguf.md): keys with typed values, then the names and shapes of the
 * tensors. What is long (a vocabulary of 100,000 words) is passed over, not read.
 */
export interface GgufHeader {
  /** How many parameters the file holds. */
  total: number
  architecture?: string
  context_length?: number
  chat_template?: string
  bos_token?: string
  eos_token?: string
}

/** What is made of the first bytes of a file: its header, `none` for another kind of file, `more` where bytes are missing. */
export type GgufReading = { header: GgufHeader } | 'none' | 'more'

type Value = string | number | boolean | List | undefined

/** A list is kept as the place where it begins. */
interface List {
  type: number
  count: number
  start: number
}

const magic = 0x46554747 // 'GGUF'
const keysMax = 100_000
const tensorsMax = 1_000_000
const dimensionsMax = 8
const types = { bool: 7, string: 8, array: 9 }
/** By type: unsigned and signed 8, 16 and 32 bits, float, bool, string, array, then 64 bits unsigned, signed, float. */
const sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]
const keptTextMaxBytes = 64 * 1024

/** Reads as much of a header as it takes to describe the file. Never throws. */
export function readGguf(bytes: Uint8Array): GgufReading {
  const cursor = new Cursor(bytes)
  try {
    const values = readValues(cursor)
    return { header: describe(values.keys, countTensors(cursor, values.tensorCount), cursor) }
  } catch (error) {
    if (error === missing) return 'more'
    if (error === malformed) return 'none'
    throw error
  }
}

const missing = new Error('bytes are missing')
const malformed = new Error('this is no GGUF file')

function readValues(cursor: Cursor): { keys: Map<string, Value>; tensorCount: number } {
  if (cursor.uint32() !== magic) throw malformed
  const version = cursor.uint32()
  if (version !== 2 && version !== 3) throw malformed
  const tensorCount = cursor.length(tensorsMax)
  const keyCount = cursor.length(keysMax)
  const keys = new Map<string, Value>()
  for (let key = 0; key < keyCount; key++) {
    const name = cursor.text()
    keys.set(name ?? '', readValue(cursor, cursor.uint32()))
  }
  return { keys, tensorCount }
}

function readValue(cursor: Cursor, type: number): Value {
  if (type === types.string) return cursor.text()
  if (type !== types.array) return cursor.number(type)
  const list: List = { type: cursor.uint32(), count: cursor.length(Number.MAX_SAFE_INTEGER), start: 0 }
  list.start = cursor.position
  if (list.type === types.string) for (let item = 0; item < list.count; item++) cursor.skipText()
  // Lists of lists are in no file that anyone has seen.
  else if (sizes[list.type] > 0) cursor.skip(sizes[list.type] * list.count)
  else throw malformed
  return list
}

/** The product of each tensor's dimensions, added up. */
function countTensors(cursor: Cursor, tensorCount: number): number {
  let total = 0
  for (let tensor = 0; tensor < tensorCount; tensor++) {
    cursor.skipText()
    const dimensionCount = cursor.uint32()
    if (dimensionCount > dimensionsMax) throw malformed
    let elements = 1
    for (let dimension = 0; dimension < dimensionCount; dimension++) elements *= cursor.length(Number.MAX_SAFE_INTEGER)
    // Type and offset.
    cursor.skip(12)
    total += elements
  }
  if (!Number.isSafeInteger(total)) throw malformed
  return total
}

function describe(keys: Map<string, Value>, total: number, cursor: Cursor): GgufHeader {
  const architecture = textIn(keys, 'general.architecture')
  const contextLength = keys.get(`${architecture}.context_length`)
  return {
    total,
    architecture,
    context_length: typeof contextLength === 'number' ? contextLength : undefined,
    chat_template: textIn(keys, 'tokenizer.chat_template'),
    bos_token: tokenIn(keys, 'tokenizer.ggml.bos_token_id', cursor),
    eos_token: tokenIn(keys, 'tokenizer.ggml.eos_token_id', cursor),
  }
}

function textIn(keys: Map<string, Value>, name: string): string | undefined {
  const value = keys.get(name)
  return typeof value === 'string' ? value : undefined
}

function tokenIn(keys: Map<string, Value>, idName: string, cursor: Cursor): string | undefined {
  const id = keys.get(idName)
  const tokens = keys.get('tokenizer.ggml.tokens')
  if (typeof id !== 'number' || typeof tokens !== 'object' || tokens.type !== types.string) return undefined
  if (id < 0 || id >= tokens.count) return undefined
  cursor.position = tokens.start
  for (let token = 0; token < id; token++) cursor.skipText()
  return cursor.text()
}

/** Little-endian values one after another. Throws `missing` at the end of the bytes, `malformed` for what cannot be. */
class Cursor {
  position = 0
  readonly #bytes: Buffer

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength)
  }

  skip(byteCount: number): number {
    const start = this.position
    this.position += byteCount
    if (this.position > this.#bytes.length) throw missing
    return start
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.skip(4))
  }

  /** 64 bits that count something. */
  length(max: number): number {
    const start = this.skip(8)
    const value = this.#bytes.readUInt32LE(start) + this.#bytes.readUInt32LE(start + 4) * 2 ** 32
    if (value > max) throw malformed
    return value
  }

  skipText(): void {
    this.skip(this.length(Number.MAX_SAFE_INTEGER))
  }

  /** Undefined for a text that is too long to be kept. */
  text(): string | undefined {
    const byteCount = this.length(Number.MAX_SAFE_INTEGER)
    const start = this.skip(byteCount)
    return byteCount > keptTextMaxBytes ? undefined : this.#bytes.toString('utf8', start, start + byteCount)
  }

  number(type: number): number | boolean {
    const size = sizes[type]
    if (!(size > 0)) throw malformed
    const start = this.skip(size)
    if (type === types.bool) return this.#bytes[start] !== 0
    const bytes = this.#bytes
    const readers = [
      ...[() => bytes.readUInt8(start), () => bytes.readInt8(start), () => bytes.readUInt16LE(start)],
      ...[() => bytes.readInt16LE(start), () => bytes.readUInt32LE(start), () => bytes.readInt32LE(start)],
      ...[() => bytes.readFloatLE(start), () => 0, () => 0, () => 0, () => Number(bytes.readBigUInt64LE(start))],
      ...[() => Number(bytes.readBigInt64LE(start)), () => bytes.readDoubleLE(start)],
    ]
    return readers[type]()
  }
}
