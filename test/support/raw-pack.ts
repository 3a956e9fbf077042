/** Packs made by hand, right or wrong in exactly one way, and a spool in memory to receive them into. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { typeCodes, writeEntryHeader, writeOfsDistance, writePackHeader } from '../../src/git/pack/format.ts'

export interface RawEntry {
  typeCode: number
  data: Buffer
  /** For a delta: the number of its base in this pack, or the base's id. */
  base?: number | Buffer
  /** A lie about the size. */
  sizeBytes?: number
  /** In place of the deflated data. */
  compressed?: Buffer
}

/** The bytes of a pack. `objectCount` is a lie about the count. */
export function rawPack(entries: readonly RawEntry[], objectCount = entries.length): Buffer {
  const parts: Buffer[] = [writePackHeader(objectCount)]
  const offsets: number[] = []
  let offset = parts[0].length
  for (const entry of entries) {
    offsets.push(offset)
    const header = Buffer.alloc(64)
    let length = writeEntryHeader(header, 0, entry.typeCode, entry.sizeBytes ?? entry.data.length)
    if (entry.typeCode === typeCodes.ofsDelta) {
      length = writeOfsDistance(header, length, offset - (offsets[entry.base as number] ?? offset + 100))
    } else if (Buffer.isBuffer(entry.base)) length += entry.base.copy(header, length)
    const part = Buffer.concat([header.subarray(0, length), entry.compressed ?? deflateSync(entry.data)])
    parts.push(part)
    offset += part.length
  }
  return withTrailer(Buffer.concat(parts))
}

export function withTrailer(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

export function blob(content: string | Buffer): RawEntry {
  return { typeCode: typeCodes.blob, data: Buffer.from(content) }
}

export function rawId(type: string, data: Buffer | string): Buffer {
  const bytes = Buffer.from(data)
  return createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest()
}

/** A delta that copies all of its base and then inserts `added` (at most 127 bytes). */
export function appendDelta(baseBytes: number, added: string): Buffer {
  const copies: number[] = []
  for (let at = 0; at < baseBytes; at += 0xffffff) {
    const length = Math.min(0xffffff, baseBytes - at)
    copies.push(0xff, at & 255, (at >> 8) & 255, (at >> 16) & 255, at >>> 24)
    copies.push(length & 255, (length >> 8) & 255, length >> 16)
  }
  const insert = added === '' ? [] : [added.length, ...Buffer.from(added)]
  return Buffer.from([...varint(baseBytes), ...varint(baseBytes + added.length), ...copies, ...insert])
}

export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}

export function memorySpool() {
  const pieces: Buffer[] = []
  let whole: Buffer | undefined
  const bytes = () => {
    whole ??= Buffer.concat(pieces)
    return whole
  }
  return {
    bytes,
    async write(chunk: Uint8Array) {
      pieces.push(Buffer.from(chunk))
    },
    file: {
      get sizeBytes() {
        return bytes().length
      },
      readSync(into: Uint8Array, offset: number, length: number, position: number) {
        return bytes().copy(into, offset, position, position + length)
      },
    },
  }
}
