/** Object ids: SHA-1, 40 lower-case hex digits as text, 20 bytes in packs and trees. */

export type ObjectId = string & { readonly brand: 'ObjectId' }
export type ByteStream = AsyncIterable<Uint8Array>

export const idBytes = 20
/** Stands for "no object" in ref updates. */
export const nullId = '0'.repeat(40) as ObjectId

/** The text as an id, or undefined unless it is exactly 40 lower-case hex digits. */
export function parseObjectId(text: string): ObjectId | undefined {
  return /^[0-9a-f]{40}$/.test(text) ? (text as ObjectId) : undefined
}

/** The id whose 20 bytes stand at `offset`. */
export function objectIdAt(bytes: Uint8Array, offset = 0): ObjectId {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, idBytes).toString('hex') as ObjectId
}

/** The 20 bytes of an id. */
export function objectIdBytes(id: ObjectId): Buffer {
  return Buffer.from(id, 'hex')
}

/** Reads the 40 hex digits at `digits[at]` as 20 bytes into `into`; false where they are not lower-case hex digits. */
export function readHexId(digits: Uint8Array, at: number, into: Uint8Array, intoAt: number): boolean {
  let bad = 0
  for (let index = 0; index < idBytes; index++) {
    const high = hexValues[digits[at + 2 * index]]
    const low = hexValues[digits[at + 2 * index + 1]]
    bad |= high | low
    into[intoAt + index] = (high << 4) | low
  }
  return bad < 16 && at + 2 * idBytes <= digits.length
}

const hexValues = new Uint8Array(256).fill(255)
for (let value = 0; value < 16; value++) hexValues['0123456789abcdef'.charCodeAt(value)] = value
