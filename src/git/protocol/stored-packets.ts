/**
 * Bytes of a stored pack on their way to a client as they lie: read off the event loop straight into the packets of the
 * side-band, between whose payloads gaps are left for the headers. So a byte is copied once, by the kernel.
 */
import type { Hash } from 'node:crypto'
import type { ClonePack } from '../repository.ts'
import { dataBand, type SideBand } from './side-band.ts'

// 4 large packets. Larger pieces are no faster.
const pieceBytes = 256 * 1024
// One on its way to the client, one that waits for it, one being read, and one to spare. Fresh buffers instead would cost
// as much as all else: 300 MB of them made V8 collect garbage for 0.3 s.
const piecesHeld = 4
const packetHeaderBytes = 5

export interface StoredBytes {
  pack: ClonePack
  /** Up to `end`, that byte not included. */
  start: number
  end: number
  /** Takes in what is sent, without the packets around it. */
  hash?: Hash
  signal?: AbortSignal
}

interface Piece {
  bytes: Buffer
  payloads: Buffer[]
}

/**
 * In packets of band 1; plain without a side-band. Reads one piece ahead of the client. The buffer of a piece is used again
 * once three more have been taken: whoever keeps it copies it.
 */
export async function* storedPackets(source: StoredBytes, sideBand: SideBand): AsyncGenerator<Buffer> {
  const { pack, start, end, hash, signal } = source
  const room = new PacketRoom(sideBand)
  let position = start
  const readNext = async (): Promise<Piece | undefined> => {
    if (position >= end) return undefined
    const piece = room.layOut(end - position)
    const from = position
    for (const payload of piece.payloads) position += payload.length
    await pack.read(piece.payloads, from, signal)
    return piece
  }
  let reading = readNext()
  // What nobody waits for any more must not count as unhandled.
  reading.catch(() => {})
  try {
    for (let piece = await reading; piece !== undefined; piece = await reading) {
      reading = readNext()
      reading.catch(() => {})
      for (const payload of hash === undefined ? [] : piece.payloads) hash?.update(payload)
      signal?.throwIfAborted()
      yield piece.bytes
    }
  } finally {
    // The pack is closed once this stream has ended: no read may be under way then.
    await reading.catch(() => {})
  }
}

/** Buffers in turn, divided into packets whose headers are written. */
class PacketRoom {
  readonly #payloadMaxBytes: number
  readonly #headerBytes: number
  readonly #packetsMax: number
  /** Pieces of full packets, laid out once. */
  readonly #full: Piece[] = []
  #turn = 0

  constructor(sideBand: SideBand) {
    this.#payloadMaxBytes = sideBand ?? pieceBytes
    this.#headerBytes = sideBand === undefined ? 0 : packetHeaderBytes
    this.#packetsMax = Math.floor(pieceBytes / (this.#payloadMaxBytes + this.#headerBytes))
  }

  /** The next piece, with room for up to `bytesLeft` bytes in its payloads. */
  layOut(bytesLeft: number): Piece {
    this.#turn = (this.#turn + 1) % piecesHeld
    const fullBytes = this.#packetsMax * this.#payloadMaxBytes
    const piece = this.#full[this.#turn]
    if (bytesLeft < fullBytes) return this.#divide(piece?.bytes, bytesLeft)
    this.#full[this.#turn] = piece ?? this.#divide(undefined, fullBytes)
    return this.#full[this.#turn]
  }

  #divide(buffer: Buffer | undefined, payloadBytes: number): Piece {
    const packetCount = Math.ceil(payloadBytes / this.#payloadMaxBytes)
    const sizeBytes = payloadBytes + packetCount * this.#headerBytes
    const bytes = buffer?.subarray(0, sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes)
    const payloads: Buffer[] = []
    for (let at = 0; at < sizeBytes; ) {
      const length = Math.min(this.#payloadMaxBytes + this.#headerBytes, sizeBytes - at)
      if (this.#headerBytes > 0) {
        bytes.write(length.toString(16).padStart(4, '0'), at, 'latin1')
        bytes[at + 4] = dataBand
      }
      payloads.push(bytes.subarray(at + this.#headerBytes, at + length))
      at += length
    }
    return { bytes, payloads }
  }
}
