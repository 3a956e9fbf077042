/** Reads a stream to its end, keeping back its last bytes: a pack's checksum stands behind what it covers. */
import type { ByteStream } from '../bucket/bucket.ts'

/** Hands all but the last `tailBytes` to `onBytes`; resolves to the whole length and those last bytes. */
export async function readTail(
  stream: ByteStream,
  { tailBytes, onBytes }: { tailBytes: number; onBytes(bytes: Uint8Array): void },
): Promise<{ sizeBytes: number; tail: Buffer }> {
  let sizeBytes = 0
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    sizeBytes += chunk.length
    const kept = Math.min(tailBytes, chunk.length)
    const joined = Buffer.concat([tail, chunk.subarray(chunk.length - kept)])
    const overhang = Math.max(0, joined.length - tailBytes)
    // In order: what leaves the old tail, then what of this chunk is not in the new one.
    const fromTail = Math.min(overhang, tail.length)
    onBytes(tail.subarray(0, fromTail))
    onBytes(chunk.subarray(0, chunk.length - kept))
    tail = joined.subarray(overhang)
  }
  return { sizeBytes, tail }
}
