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

/** Appends all of `body` and resolves to its length. Does not close the handle; nothing is written once it has settled. */
export async function writePieces(handle: FileHandle, body: ByteStream): Promise<number> {
  let sizeBytes = 0
  let writing: Promise<void> = Promise.resolve()
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  try {
    for await (const chunk of body) {
      gathered.push(chunk)
      gatheredBytes += chunk.length
      sizeBytes += chunk.length
      if (gatheredBytes < pieceBytes) continue
      await writing
      writing = writeAll(handle, gathered)
      // What fails is seen at the next await; without a listener until then it would count as unhandled.
      writing.catch(() => {})
      gathered = []
      gatheredBytes = 0
    }
    await writing
    await writeAll(handle, gathered)
    return sizeBytes
  } finally {
    await writing.catch(() => {})
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return
  let { bytesWritten } = await handle.writev([...chunks])
  for (const chunk of chunks) {
    // A short write is rare: what it left is written chunk by chunk.
    let done = Math.min(bytesWritten, chunk.length)
    bytesWritten -= done
    while (done < chunk.length) done += (await handle.write(chunk, done)).bytesWritten
  }
}
