/**
 * pkt-line framing (gitprotocol-common): four hex digits of length, themselves included, then the payload. 0000 is a
 * flush, 0001 a delimiter, 0002 the end of a response.
 */
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../object-id.ts'

/** A data packet's payload, or one of the special packets. */
export type Packet = Buffer | 'flush' | 'delim' | 'response-end'

const packetMaxBytes = 65_520
export const payloadMaxBytes = packetMaxBytes - 4

export const flushPacket = Buffer.from('0000')
export const delimPacket = Buffer.from('0001')

/** A data packet. Text is written as latin1, so that ref names keep their bytes. */
export function dataPacket(payload: string | Uint8Array): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  if (bytes.length > payloadMaxBytes) throw new RangeError(`A packet of ${bytes.length} bytes is too long.`)
  const packet = Buffer.allocUnsafe(bytes.length + 4)
  packet.write((bytes.length + 4).toString(16).padStart(4, '0'), 'latin1')
  packet.set(bytes, 4)
  return packet
}

/** The error packet that ends a conversation (gitprotocol-pack, "ERR"). The text is shortened to fit. */
export function errorPacket(message: string): Buffer {
  return dataPacket(Buffer.from(`ERR ${message}`).subarray(0, payloadMaxBytes))
}

/** The text of a data packet in latin1, without the line feed that may end it. */
export function lineOf(packet: Buffer): string {
  const end = packet.at(-1) === 0x0a ? packet.length - 1 : packet.length
  return packet.toString('latin1', 0, end)
}

/**
 * Takes packets off a stream in whatever pieces it arrives, and hands out what follows them (the pack of a push)
 * without holding it. `packetsMaxBytes` bounds all packets of a request together.
 */
export class PacketReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #packetsMaxBytes: number
  #chunk: Buffer = Buffer.alloc(0)
  #packetBytes = 0
  #ended = false

  constructor(stream: ByteStream, packetsMaxBytes: number) {
    this.#source = stream[Symbol.asyncIterator]()
    this.#packetsMaxBytes = packetsMaxBytes
  }

  /** True once the stream has been read to its end. */
  get ended(): boolean {
    return this.#ended
  }

  /** The next packet; undefined where the stream ends between packets. Throws InputInvalid, InputTruncated, InputTooLarge. */
  async read(): Promise<Packet | undefined> {
    if (this.#chunk.length < 4 && !(await this.#fill(4))) {
      if (this.#chunk.length === 0) return undefined
      throw new HoldfastError('InputTruncated')
    }
    const length = parseLength(this.#chunk)
    this.#count(Math.max(length, 4))
    if (length < 4) return this.#takeSpecial(length)
    if (this.#chunk.length < length && !(await this.#fill(length))) throw new HoldfastError('InputTruncated')
    const payload = this.#chunk.subarray(4, length)
    this.#chunk = this.#chunk.subarray(length)
    return payload
  }

  /** Counts packets anew: on a connection that stays open every request has the whole limit. */
  beginRequest(): void {
    this.#packetBytes = 0
  }

  /** What follows the packets. Leaving this stream early does not end the source: see `drain`. */
  async *rest(): AsyncGenerator<Uint8Array> {
    while (this.#chunk.length > 0 || (await this.#fill(1))) {
      const chunk = this.#chunk
      this.#chunk = Buffer.alloc(0)
      yield chunk
    }
  }

  /** Reads and drops what is left, at most `maxBytes`, so that a client which only listens after sending gets its answer. */
  async drain(maxBytes: number): Promise<void> {
    let bytes = 0
    for await (const chunk of this.rest()) {
      bytes += chunk.length
      if (bytes > maxBytes) return
    }
  }

  #takeSpecial(length: number): Packet {
    this.#chunk = this.#chunk.subarray(4)
    if (length === 0) return 'flush'
    if (length === 1) return 'delim'
    if (length === 2) return 'response-end'
    throw new HoldfastError('InputInvalid', { message: 'A packet has the length 3, which has no meaning.' })
  }

  #count(bytes: number): void {
    this.#packetBytes += bytes
    if (this.#packetBytes > this.#packetsMaxBytes) throw new HoldfastError('InputTooLarge')
  }

  /** Reads until at least `wanted` bytes lie in the chunk; false where the stream ends before. */
  async #fill(wanted: number): Promise<boolean> {
    // A pack passes here chunk by chunk: what is alone is not copied.
    const pieces = this.#chunk.length === 0 ? [] : [this.#chunk]
    let bytes = this.#chunk.length
    while (bytes < wanted && !this.#ended) {
      const next = await this.#source.next()
      if (next.done) {
        this.#ended = true
        break
      }
      pieces.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength))
      bytes += next.value.byteLength
    }
    this.#chunk = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes)
    return bytes >= wanted
  }
}

function parseLength(bytes: Buffer): number {
  const digits = bytes.toString('latin1', 0, 4)
  const length = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
  if (!(length <= packetMaxBytes)) {
    throw new HoldfastError('InputInvalid', { message: 'The request is not made of packets: bad line length.' })
  }
  return length
}
