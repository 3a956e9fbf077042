/** Reads entries of a received pack back from the spool, by entry number. */
import type { EntryTable } from './entry-table.ts'
import { emptyEntryHeader, entryHeaderMaxBytes, packInvalid, readEntryHeader } from './format.ts'
import { Inflater } from './inflate.ts'
import type { PackSpool } from './pack-input.ts'

// Delta trees jump about in the pack. A small pack is read once; in a large one a read serves the neighbours.
const wholePackMaxBytes = 8 * 1024 * 1024
const windowBytes = 64 * 1024

const nothing = Buffer.alloc(0)
const inflater = new Inflater()

export class SpooledEntries {
  readonly #file: PackSpool['file']
  readonly #entries: EntryTable
  readonly #endOffset: number
  readonly #header = emptyEntryHeader()
  #window = nothing
  #windowStart = 0
  #windowEnd = 0
  #output = nothing

  /** `endOffset` is where the last entry ends. */
  constructor(file: PackSpool['file'], entries: EntryTable, endOffset: number) {
    this.#file = file
    this.#entries = entries
    this.#endOffset = endOffset
  }

  /** The entry's inflated bytes, of the object or of the delta's instructions. Valid until the next call. */
  inflate(entry: number): Buffer {
    const at = this.#load(entry)
    const { sizeBytes, dataAt } = this.#header
    if (this.#output.length <= sizeBytes) this.#output = Buffer.allocUnsafeSlow(Math.max(sizeBytes * 2, 4096))
    const dataBytes = this.#endOf(entry) - this.#entries.offsets[entry] - (dataAt - at)
    inflater.inflateInto(this.#window, dataAt, dataBytes, this.#output, 0, sizeBytes)
    return this.#output.subarray(0, sizeBytes)
  }

  /** The inflated bytes of an entry of any size, in pieces, each of which is overwritten by the next. */
  *pieces(entry: number): Generator<Buffer> {
    const inflater = new Inflater()
    inflater.start()
    const input = Buffer.allocUnsafe(windowBytes)
    const output = Buffer.allocUnsafe(windowBytes)
    const end = this.#endOf(entry)
    this.#read(input, Math.min(entryHeaderMaxBytes, end - this.#entries.offsets[entry]), this.#entries.offsets[entry])
    readEntryHeader(input, 0, entryHeaderMaxBytes, this.#header)
    let position = this.#entries.offsets[entry] + this.#header.dataAt
    for (let left = this.#header.sizeBytes; left > 0; ) {
      const length = Math.min(windowBytes, end - position)
      this.#read(input, length, position)
      inflater.feed(input, 0, length, output, 0, Math.min(left, output.length))
      position += inflater.consumedBytes
      left -= inflater.producedBytes
      if (inflater.producedBytes > 0) yield output.subarray(0, inflater.producedBytes)
    }
  }

  /** Brings the entry into the window and reads its header; returns where in the window it begins. */
  #load(entry: number): number {
    const offset = this.#entries.offsets[entry]
    const length = this.#endOf(entry) - offset
    if (offset < this.#windowStart || offset + length > this.#windowEnd) {
      const isSmall = this.#endOffset <= wholePackMaxBytes
      const start = isSmall ? 0 : offset
      const wanted = isSmall ? this.#endOffset : Math.max(length, windowBytes)
      const available = Math.min(wanted, this.#endOffset - start)
      if (this.#window.length < available) this.#window = Buffer.allocUnsafeSlow(available)
      this.#read(this.#window, available, start)
      this.#windowStart = start
      this.#windowEnd = start + available
    }
    const at = offset - this.#windowStart
    readEntryHeader(this.#window, at, at + length, this.#header)
    return at
  }

  #endOf(entry: number): number {
    return entry + 1 < this.#entries.count ? this.#entries.offsets[entry + 1] : this.#endOffset
  }

  #read(into: Buffer, length: number, position: number): void {
    if (this.#file.readSync(into, 0, length, position) !== length) {
      throw packInvalid('the spool lost what was written to it', position)
    }
  }
}
