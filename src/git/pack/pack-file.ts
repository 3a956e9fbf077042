/**
 * One stored pack: its index, its bytes in a local file, and the headers of its entries (gitformat-pack). Objects are
 * put together in pack-set.ts, since a delta's base may lie in another pack.
 */
import { idBytes } from '../object-id.ts'
import type { ObjectType } from '../repository.ts'
import { emptyEntryHeader, entryHeaderMaxBytes, packInvalid, readEntryHeader, typeOfCode } from './format.ts'
import { Inflater } from './inflate.ts'
import type { PackBytes } from './pack-bytes.ts'
import type { PackIndex } from './pack-index.ts'
import { type SharedBytes, type SharedPack, toSharedMemory } from './shared-pack.ts'
import type { SideCar } from './side-car.ts'

/** A stored entry's header, read. */
export interface PackEntry {
  position: number
  offset: number
  dataOffset: number
  end: number
  sizeBytes: number
  /** Undefined for a delta. */
  type: ObjectType | undefined
  /** Offset of the base in this pack (OFS_DELTA); -1 otherwise. */
  baseOffset: number
  /** Raw id of the base (REF_DELTA). */
  baseId: Buffer | undefined
}

// Entries that are read in the order in which they lie share a window of a few hundred entries; a jump reads one page.
const windowBytes = 64 * 1024
/** Entries that inflate to more are streamed. */
export const pieceBytes = 64 * 1024
const jumpBytes = 4 * 1024
const header = emptyEntryHeader()
// Numbers a pack file within this process, so that one cache of objects can serve all packs.
let packFileCount = 0

export class PackFile {
  readonly index: PackIndex
  readonly isThin: boolean
  /** What is known of the objects without reading them; undefined where nothing was noted. */
  readonly sideCar: SideCar | undefined
  readonly cacheNumber = ++packFileCount
  readonly #bytes: PackBytes
  readonly #window: Buffer
  #shared: SharedPack | undefined
  #windowStart = 0
  #windowEnd = 0

  constructor(index: PackIndex, bytes: PackBytes, isThin: boolean, sideCar?: SideCar) {
    this.index = index
    this.sideCar = sideCar
    if (sideCar !== undefined) index.adoptOffsetOrder(sideCar.tables.offsetOrder)
    this.isThin = isThin
    this.#bytes = bytes
    this.#window = Buffer.allocUnsafeSlow(Math.min(windowBytes, bytes.sizeBytes))
  }

  get sizeBytes(): number {
    return this.#bytes.sizeBytes
  }

  /** True where its bytes come in blocks, for which reading may have to wait. */
  get isRanged(): boolean {
    return this.#bytes.blocks !== undefined
  }

  /** What another thread needs to read it as well, while it is open. What lies in memory here is shared once. */
  share(): SharedPack {
    this.#shared ??= {
      number: this.cacheNumber,
      bytes: this.#shareBytes(),
      sizeBytes: this.sizeBytes,
      isThin: this.isThin,
      index: toSharedMemory(this.index.bytes),
      sideCar: this.sideCar && toSharedMemory(this.sideCar.bytes),
    }
    return this.#shared
  }

  /** The header of the entry at index position `position`. */
  entryAt(position: number): PackEntry {
    const offset = this.index.offsetAt(position)
    const end = this.index.endAt(position, this.sizeBytes)
    const bytes = this.#view(offset, Math.min(entryHeaderMaxBytes, end - offset))
    if (!readEntryHeader(bytes, 0, bytes.length, header)) throw packInvalid('an entry ends within its header', offset)
    const { baseIdAt, baseDistance } = header
    return {
      position,
      offset,
      dataOffset: offset + header.dataAt,
      end,
      sizeBytes: header.sizeBytes,
      type: typeOfCode(header.typeCode),
      baseOffset: baseDistance === 0 ? -1 : offset - baseDistance,
      baseId: baseIdAt < 0 ? undefined : Buffer.from(bytes.subarray(baseIdAt, baseIdAt + idBytes)),
    }
  }

  /** Reads exactly `length` bytes at `position` into `into`. */
  copy(into: Uint8Array, offset: number, length: number, position: number): void {
    if (this.#bytes.readSync(into, offset, length, position) !== length) {
      throw packInvalid('it ends too early', position + length)
    }
  }

  /** The compressed bytes of an entry. Valid until the next read of this pack. */
  compressed(entry: PackEntry): Buffer {
    const length = entry.end - entry.dataOffset
    if (length <= windowBytes) return this.#view(entry.dataOffset, length)
    const bytes = Buffer.allocUnsafe(length)
    this.copy(bytes, 0, length, entry.dataOffset)
    return bytes
  }

  /** Inflates a whole entry of any size in flat memory. */
  async *inflatePieces(entry: PackEntry): AsyncGenerator<Buffer> {
    const inflater = new Inflater()
    inflater.start()
    const input = Buffer.allocUnsafe(pieceBytes)
    let unread = entry.dataOffset
    let inputAt = 0
    let inputEnd = 0
    for (let left = entry.sizeBytes; left > 0; ) {
      if (inputAt === inputEnd) {
        inputEnd = Math.min(pieceBytes, entry.end - unread)
        if (inputEnd === 0) throw packInvalid('an entry ends too early', entry.offset)
        await this.#bytes.prepare?.(unread, inputEnd)
        this.copy(input, 0, inputEnd, unread)
        unread += inputEnd
        inputAt = 0
      }
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, left))
      inflater.feed(input, inputAt, inputEnd - inputAt, piece, 0, piece.length)
      inputAt += inflater.consumedBytes
      left -= inflater.producedBytes
      if (inflater.producedBytes > 0) yield piece.subarray(0, inflater.producedBytes)
    }
  }

  #shareBytes(): SharedBytes {
    const { descriptor, blocks, sizeBytes } = this.#bytes
    if (descriptor !== undefined) return { descriptor }
    if (blocks !== undefined) return { blocks }
    const memory = Buffer.from(new SharedArrayBuffer(sizeBytes))
    this.copy(memory, 0, sizeBytes, 0)
    return { memory }
  }

  #view(position: number, length: number): Buffer {
    if (position < this.#windowStart || position + length > this.#windowEnd) {
      const isNext = position >= this.#windowStart && position <= this.#windowEnd + jumpBytes
      const wanted = Math.max(length, isNext ? windowBytes : jumpBytes)
      const available = Math.min(wanted, this.sizeBytes - position)
      // A read that fails in the middle has overwritten the window.
      this.#windowEnd = this.#windowStart
      this.copy(this.#window, 0, available, position)
      this.#windowStart = position
      this.#windowEnd = position + available
    }
    return this.#window.subarray(position - this.#windowStart, position - this.#windowStart + length)
  }
}
