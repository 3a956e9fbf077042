/**
 * The one pass over a pack while it arrives: each entry is inflated, its CRC noted, whole objects hashed and checked.
 * Deltas are only checked to be sound zlib data of the announced size; resolve-deltas.ts makes objects of them.
 */
import { createHash } from 'node:crypto'
import { HoldfastError } from '../../errors.ts'
import type { EntryTable } from './entry-table.ts'
import {
  type EntryHeader,
  emptyEntryHeader,
  packHeaderBytes,
  packInvalid,
  readEntryHeader,
  readPackHeader,
  typeCodes,
} from './format.ts'
import { borrowInflater, type Inflater, inflateRoomBytes, returnInflater } from './inflate.ts'
import type { PackInput } from './pack-input.ts'
import type { ReceivePace } from './receive-pace.ts'
import { hashHeaderBytes, type ReceivedObjects } from './received-objects.ts'

/** Blobs above it are hashed in pieces and never held. */
const wholeBlobMaxBytes = 1024 * 1024
const pieceBytes = 256 * 1024
const leastBufferBytes = 4 * 1024

export interface ParseOptions {
  input: PackInput
  entries: EntryTable
  objects: ReceivedObjects
  pace: ReceivePace
  objectsMax: number
  objectHeldMaxBytes: number
}

/** Reads the header and all entries; leaves the input at the trailer. Throws PackInvalid and what `ReceivedObjects` throws. */
export async function parseEntries(options: ParseOptions): Promise<void> {
  const { input } = options
  while (input.bytes.length < packHeaderBytes) await input.more()
  const objectCount = readPackHeader(input.bytes)
  if (objectCount > options.objectsMax) {
    throw new HoldfastError('InputTooLarge', { message: `The pack has more than ${options.objectsMax} objects.` })
  }
  input.at = packHeaderBytes
  const inflater = borrowInflater()
  try {
    await parseAll(options, new EntryParser(options, inflater), objectCount)
  } finally {
    returnInflater(inflater)
  }
}

async function parseAll({ input, pace }: ParseOptions, parser: EntryParser, objectCount: number): Promise<void> {
  for (let done = 0; done < objectCount; done++) {
    const offset = input.offset
    try {
      // A promise per entry would cost more than a small entry: only those that the bytes at hand do not hold wait.
      const rest = parser.parse()
      if (rest !== undefined) await rest
    } catch (error) {
      throw atEntry(error, offset)
    }
    if (pace.due(1 + parser.sizeBytes / 8192)) await pace.pause('receiving', done, objectCount)
  }
}

/** A PackInvalid error that lacks the place gets it. */
export function atEntry(error: unknown, offset: number): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'PackInvalid' || / at offset \d+\.$/.test(error.message)) {
    return error
  }
  return new HoldfastError('PackInvalid', {
    message: `${error.message.slice(0, -1)} at offset ${offset}.`,
    cause: error,
  })
}

/** Throws InputTooLarge for what would have to be held whole and is too large for that. */
export function checkHeldSize(sizeBytes: number, objectHeldMaxBytes: number): void {
  if (sizeBytes <= objectHeldMaxBytes) return
  throw new HoldfastError('InputTooLarge', {
    message: `The pack holds a tree, commit, tag or delta of ${sizeBytes} bytes; above ${objectHeldMaxBytes} only whole blobs are taken.`,
  })
}

class EntryParser {
  readonly #input: PackInput
  readonly #entries: EntryTable
  readonly #objects: ReceivedObjects
  readonly #objectHeldMaxBytes: number
  readonly #inflater: Inflater
  readonly #header: EntryHeader = emptyEntryHeader()
  /** Grows with the largest object. */
  #buffer = Buffer.allocUnsafe(0)
  #entry = 0
  #compressedBytes = 0

  constructor(options: ParseOptions, inflater: Inflater) {
    this.#inflater = inflater
    this.#input = options.input
    this.#entries = options.entries
    this.#objects = options.objects
    this.#objectHeldMaxBytes = options.objectHeldMaxBytes
  }

  /** Inflated size of the last entry. */
  get sizeBytes(): number {
    return this.#header.sizeBytes
  }

  /** Parses one entry; what is left to wait for where the bytes at hand end within it. */
  parse(): Promise<void> | undefined {
    const input = this.#input
    input.startEntry()
    if (!readEntryHeader(input.bytes, input.at, input.bytes.length, this.#header)) return this.#waitForHeader()
    this.#begin()
    return this.#body()
  }

  async #waitForHeader(): Promise<void> {
    const input = this.#input
    do await input.more()
    while (!readEntryHeader(input.bytes, input.at, input.bytes.length, this.#header))
    this.#begin()
    await this.#body()
  }

  /** Notes the entry whose header has been read. */
  #begin(): void {
    const input = this.#input
    const header = this.#header
    const offset = input.offset
    this.#entry = this.#entries.add(offset)
    if (header.typeCode === typeCodes.ofsDelta) {
      const base = this.#entries.findOffset(offset - header.baseDistance)
      if (base < 0 || base === this.#entry) {
        throw packInvalid(`no entry begins where the base of the delta is said to be`, offset)
      }
      this.#entries.bases[this.#entry] = base
    } else if (header.typeCode === typeCodes.refDelta) {
      this.#entries.addBaseId(this.#entry, input.bytes, header.baseIdAt)
    }
    input.at = header.dataAt
    this.#compressedBytes = 0
    this.#inflater.start()
  }

  #body(): Promise<void> | undefined {
    const { typeCode, sizeBytes } = this.#header
    if (typeCode === typeCodes.blob && sizeBytes > wholeBlobMaxBytes) return this.#streamBlob()
    checkHeldSize(sizeBytes, this.#objectHeldMaxBytes)
    this.#makeRoom(hashHeaderBytes + sizeBytes + inflateRoomBytes)
    const filled = this.#inflateAtHand(0)
    if (filled >= 0) return this.#waitForBody(filled)
    this.#finish()
    return undefined
  }

  async #waitForBody(alreadyFilled: number): Promise<void> {
    for (let filled = alreadyFilled; filled >= 0; filled = this.#inflateAtHand(filled)) await this.#input.more()
    this.#finish()
  }

  /** Inflates behind the `filled` bytes; how many there are then, or -1 once the object is whole. */
  #inflateAtHand(filled: number): number {
    const { sizeBytes } = this.#header
    this.#feed(hashHeaderBytes + filled, sizeBytes + inflateRoomBytes - filled)
    const total = filled + this.#inflater.producedBytes
    if (total > sizeBytes || (this.#inflater.isEnded && total !== sizeBytes)) throw wrongSize()
    return this.#inflater.isEnded ? -1 : total
  }

  #finish(): void {
    const { typeCode, sizeBytes } = this.#header
    const entry = this.#entry
    this.#entries.crcs[entry] = this.#input.endEntry()
    if (typeCode === typeCodes.ofsDelta || typeCode === typeCodes.refDelta) this.#entries.deltaCount++
    else this.#objects.accept(entry, typeCode, { buffer: this.#buffer, end: hashHeaderBytes + sizeBytes })
  }

  async #streamBlob(): Promise<void> {
    const { sizeBytes } = this.#header
    const hash = createHash('sha1').update(`blob ${sizeBytes}\0`)
    this.#makeRoom(pieceBytes)
    for (let total = 0; !this.#inflater.isEnded; ) {
      if (this.#input.at === this.#input.bytes.length) await this.#input.more()
      this.#feed(0, pieceBytes)
      total += this.#inflater.producedBytes
      if (total > sizeBytes || (this.#inflater.isEnded && total !== sizeBytes)) throw wrongSize()
      hash.update(this.#buffer.subarray(0, this.#inflater.producedBytes))
    }
    this.#entries.crcs[this.#entry] = this.#input.endEntry()
    this.#objects.acceptStreamed(this.#entry, hash.digest('hex'), sizeBytes)
  }

  #makeRoom(bytes: number): void {
    if (this.#buffer.length < bytes) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length * 2, leastBufferBytes))
    }
  }

  #feed(at: number, room: number): void {
    const input = this.#input
    this.#inflater.feed(input.bytes, input.at, input.bytes.length - input.at, this.#buffer, at, room)
    input.at += this.#inflater.consumedBytes
    this.#compressedBytes += this.#inflater.consumedBytes
    // Readers hold an entry's compressed bytes whole: they must not be far more than what they inflate to.
    if (this.#compressedBytes > this.#header.sizeBytes * 2 + 64 * 1024) {
      throw packInvalid('an entry is padded with empty zlib blocks')
    }
  }
}

function wrongSize(): HoldfastError {
  return packInvalid('an object inflates to another size than announced')
}
