/** Side-band multiplexing (gitprotocol-pack): data, progress and a fatal message in one stream of packets. */
import { flushPacket } from './pkt-line.ts'

export const dataBand = 1
export const progressBand = 2
export const errorBand = 3
export type Band = typeof dataBand | typeof progressBand | typeof errorBand

/** How the answer is multiplexed: payload bytes per packet (995 or 65,515), or undefined for plain bytes. */
export type SideBand = number | undefined
export const smallSideBand = 995
export const largeSideBand = 65_515

/** An empty packet of band 1: git's own sign of life while the server works. */
export const keepAlivePacket = Buffer.from('0005\x01', 'latin1')

/** `bytes` as packets of one band, in one buffer. */
export function bandPackets(band: Band, bytes: Uint8Array | string, payloadMaxBytes: number): Buffer {
  const payload = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const packetCount = Math.ceil(payload.length / payloadMaxBytes)
  const framed = Buffer.allocUnsafe(payload.length + packetCount * 5)
  let position = 0
  for (let start = 0; start < payload.length; start += payloadMaxBytes) {
    const piece = payload.subarray(start, start + payloadMaxBytes)
    framed.write((piece.length + 5).toString(16).padStart(4, '0'), position, 'latin1')
    framed[position + 4] = band
    framed.set(piece, position + 5)
    position += piece.length + 5
  }
  return framed
}

/** `stream` in band 1 and the flush that ends the multiplexed answer; unchanged without a side-band. */
export async function* inDataBand(stream: AsyncIterable<Uint8Array>, sideBand: SideBand): AsyncGenerator<Uint8Array> {
  if (sideBand === undefined) {
    yield* stream
    return
  }
  for await (const chunk of stream) yield bandPackets(dataBand, chunk, sideBand)
  yield flushPacket
}
