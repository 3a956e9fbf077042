/** Large sequential reads and writes of one file: the disk works on one piece while the next is on its way. */
import type { FileHandle } from 'node:fs/promises'
import type { ByteStream } from './bucket.ts'

// A read or write of any size costs a turn through the thread pool, 50 µs and more: few large ones.
const pieceBytes = 1024 * 1024

// Memory that is used again stays in the processor's caches and is not given back to the kernel and cleared for every
// piece: 1 GiB from the page cache to a socket took 0.4 s of a core against 0.63 s. One is read, one sent, one in between.
const reusedCount = 3
const reusedBytes = 512 * 1024

export interface PiecesToRead {
  start: number
  /** The byte behind the last. */
  end: number
  /** The caller is done with a piece before it asks for the next. */
  reusesChunks?: boolean
}

/** The bytes from `start` up to `end`, read one piece ahead. Does not close the handle. */
export async function* readPieces(
  handle: FileHandle,
  { start, end, ...how }: PiecesToRead,
): AsyncGenerator<Uint8Array> {
  const memory = how.reusesChunks ? reusedMemory(end - start) : newMemory
  let ahead = readPiece(handle, start, end, memory)
  try {
    for (let position = start; position < end; ) {
      const piece = await ahead
      if (piece.length === 0) throw new Error('A file of the bucket became shorter while it was read.')
      position += piece.length
      ahead = readPiece(handle, position, end, memory)
      yield piece
    }
  } finally {
    // The handle must not be closed under a read that still runs.
    await ahead.catch(() => {})
  }
}

/** Where the next piece goes, of at most so many bytes. */
type Memory = (maxBytes: number) => Buffer

const newMemory: Memory = (maxBytes) => Buffer.allocUnsafe(Math.min(pieceBytes, maxBytes))

function reusedMemory(totalBytes: number): Memory {
  const buffers: Buffer[] = []
  let turn = 0
  return (maxBytes) => {
    turn = (turn + 1) % reusedCount
    buffers[turn] ??= Buffer.allocUnsafeSlow(Math.min(reusedBytes, totalBytes))
    return buffers[turn].subarray(0, maxBytes)
  }
}

async function readPiece(handle: FileHandle, position: number, end: number, memory: Memory): Promise<Buffer> {
  const piece = memory(Math.max(0, end - position))
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
