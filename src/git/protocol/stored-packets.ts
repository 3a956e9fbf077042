/**
 * Bytes of a stored pack on their way to a client as they lie: read off the event loop straight into the packets of the
 * side-band, between whose payloads gaps are left for the headers. So a byte is copied once, by the kernel.
 */
import type { Hash } from 'node:crypto'
import type { ClonePack } from '../repository.ts'
import { dataBand, type SideBand } from './side-band.ts'

// 8 large packets. Larger pieces are no faster, and every client holds two: one on its way, one being read.
const pieceBytes = 512 * 1024
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

/** In packets of band 1; plain without a side-band. Reads one piece ahead of the client. */
export async function* storedPackets(source: StoredBytes, sideBand: SideBand): AsyncGenerator<Buffer> {
  const { pack, start, end, hash, signal } = source
  let position = start
  const readNext = async (): Promise<Piece | undefined> => {
    if (position >= end) return undefined
    const piece = layOut(end - position, sideBand)
    const from = position
    for (const payload of piece.payloads) position += payload.length
    await pack.read(piece.payloads, from)
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

/** A buffer with packets for up to `bytesLeft` bytes, their headers written, and the room for each payload. */
function layOut(bytesLeft: number, sideBand: SideBand): Piece {
  if (sideBand === undefined) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(bytesLeft, pieceBytes))
    return { bytes, payloads: [bytes] }
  }
  const packetsMax = Math.floor(pieceBytes / (sideBand + packetHeaderBytes))
  const packetCount = Math.min(packetsMax, Math.ceil(bytesLeft / sideBand))
  const payloadBytes = Math.min(bytesLeft, packetCount * sideBand)
  const bytes = Buffer.allocUnsafeSlow(payloadBytes + packetCount * packetHeaderBytes)
  const payloads: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(sideBand + packetHeaderBytes, bytes.length - at)
    bytes.write(length.toString(16).padStart(4, '0'), at, 'latin1')
    bytes[at + 4] = dataBand
    payloads.push(bytes.subarray(at + packetHeaderBytes, at + length))
    at += length
  }
  return { bytes, payloads }
}
