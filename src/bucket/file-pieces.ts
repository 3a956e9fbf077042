/** Large sequential reads and writes of one file: the disk works on one piece while the next is on its way. */
import type { FileHandle } from 'node:fs/promises'
import type { ByteStream } from './bucket.ts'

// A read or write of any size costs a turn through the thread pool, 50 µs and more: few large ones.
const pieceBytes = 1024 * 1024

/** The bytes from `start` up to `end`, read one piece ahead. Does not close the handle. */
export async function* readPieces(handle: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  let ahead = readPiece(handle, start, end)
  try {
    for (let position = start; position < end; ) {
      const piece = await ahead
      if (piece.length === 0) throw new Error('A file of the bucket became shorter while it was read.')
      position += piece.length
      ahead = readPiece(handle, position, end)
      yield piece
    }
  } finally {
    // The handle must not be closed under a read that still runs.
    await ahead.catch(() => {})
  }
}

async function readPiece(handle: FileHandle, position: number, end: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(0, end - position)))
  if (piece.length === 0) return piece
  const { bytesRead } = await handle.read(piece, 0, piece.length, position)
  return piece.subarray(0, bytesRead)
}

/**
 * Appends all of `body` and resolves to its length. Does not close the handle; nothing is written once it has settled.
 * Chunks are copied, so that one piece can be written while the next is filled from a source that uses its chunks again.
 */
export async function writePieces(handle: FileHandle, body: ByteStream): Promise<number> {
  let [filling, resting] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let filledBytes = 0
  let sizeBytes = 0
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length
      for (let done = 0; done < chunk.length; ) {
        const length = Math.min(chunk.length - done, pieceBytes - filledBytes)
        filling.set(chunk.subarray(done, done + length), filledBytes)
        done += length
        filledBytes += length
        if (filledBytes < pieceBytes) continue
        await writing
        writing = writeAll(handle, filling)
        // What fails is seen at the next await; without a listener until then it would count as unhandled.
        writing.catch(() => {})
        ;[filling, resting] = [resting, filling]
        filledBytes = 0
      }
    }
    await writing
    await writeAll(handle, filling.subarray(0, filledBytes))
    return sizeBytes
  } finally {
    await writing.catch(() => {})
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten
}
