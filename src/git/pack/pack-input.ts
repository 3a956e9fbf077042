/**
 * A pack as it arrives: the bytes at hand, how far they are used, and what is computed over them on the way (SHA-1 of
 * the pack, CRC-32 of the entry). Every piece goes to the spool before it is looked at.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../object-id.ts'
import { packInvalid, packTrailerBytes } from './format.ts'

/** Where received bytes are kept and read again (disk/ provides it). */
export interface PackSpool {
  write(chunk: Uint8Array): Promise<void>
  readonly file: { readSync(into: Uint8Array, offset: number, length: number, position: number): number }
}

export class PackInput {
  /** The bytes at hand; `bytes[at]` is the next one to use. Valid until more are asked for. */
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #spool: PackSpool
  readonly #maxBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #hash = createHash('sha1')
  /** Where what was left of one piece is joined with the next. */
  #joined = Buffer.alloc(0)
  /** Of `bytes[0]` in the pack. */
  #start = 0
  #receivedBytes = 0
  #hashedTo = 0
  #crcFrom = 0
  #crc = 0

  constructor(input: ByteStream, spool: PackSpool, maxBytes: number, signal: AbortSignal | undefined) {
    this.#pieces = input[Symbol.asyncIterator]()
    this.#spool = spool
    this.#maxBytes = maxBytes
    this.#signal = signal
  }

  /** The offset in the pack of the next byte to use. */
  get offset(): number {
    return this.#start + this.at
  }

  /** Makes more bytes available. What is unused stays in front of them. Throws PackInvalid where the input has ended. */
  async more(): Promise<void> {
    if (!(await this.#fill())) throw packInvalid('it ends too early', this.#receivedBytes)
  }

  startEntry(): void {
    this.#crc = 0
    this.#crcFrom = this.at
  }

  /** The CRC-32 of what was used since `startEntry`. */
  endEntry(): number {
    return crc32(this.bytes.subarray(this.#crcFrom, this.at), this.#crc)
  }

  /** Checks the SHA-1 behind the last entry, and that nothing follows. Returns it. */
  async readTrailer(): Promise<Buffer> {
    this.#hashUsed()
    while (this.bytes.length - this.at < packTrailerBytes) await this.more()
    const trailer = Buffer.from(this.bytes.subarray(this.at, this.at + packTrailerBytes))
    if (!trailer.equals(this.#hash.digest())) throw packInvalid('its checksum is wrong', this.offset)
    this.at += packTrailerBytes
    this.#hashedTo = this.at
    const end = this.offset
    if (this.at < this.bytes.length || (await this.#fill())) throw packInvalid('bytes follow its end', end)
    return trailer
  }

  /** Lets the source go, read to its end or not. Never throws. */
  async close(): Promise<void> {
    try {
      await this.#pieces.return?.()
    } catch {
      // The source's own failure has been thrown by `more`, or came too late to matter.
    }
  }

  async #fill(): Promise<boolean> {
    // The source may use the memory of a piece again for the next.
    this.#setAsideUnused()
    for (;;) {
      this.#signal?.throwIfAborted()
      const { value, done } = await this.#pieces.next()
      if (done) return false
      if (value.length === 0) continue
      this.#receivedBytes += value.length
      if (this.#receivedBytes > this.#maxBytes) {
        throw new HoldfastError('InputTooLarge', { message: `The pack is larger than ${this.#maxBytes} bytes.` })
      }
      await this.#spool.write(value)
      this.#append(value)
      return true
    }
  }

  #setAsideUnused(): void {
    if (this.#hashedTo < this.at) this.#hashUsed()
    this.#crc = this.endEntry()
    const unusedBytes = this.bytes.length - this.at
    if (this.#joined.length < unusedBytes) this.#joined = Buffer.allocUnsafeSlow(unusedBytes * 2)
    this.bytes.copy(this.#joined, 0, this.at)
    this.bytes = this.#joined.subarray(0, unusedBytes)
    this.#start += this.at
    this.at = 0
    this.#hashedTo = 0
    this.#crcFrom = 0
  }

  #append(piece: Uint8Array): void {
    const unusedBytes = this.bytes.length
    if (unusedBytes === 0) {
      this.bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      return
    }
    const length = unusedBytes + piece.length
    if (this.#joined.length < length) {
      this.#joined = Buffer.allocUnsafeSlow(length * 2)
      this.bytes.copy(this.#joined)
    }
    this.#joined.set(piece, unusedBytes)
    this.bytes = this.#joined.subarray(0, length)
  }

  #hashUsed(): void {
    this.#hash.update(this.bytes.subarray(this.#hashedTo, this.at))
    this.#hashedTo = this.at
  }
}
