/** The bytes of a pack on their way out, gathered into chunks of one size. */
import type { ObjectDatabase } from '../repository.ts'

// Large enough that side-band framing and hashing cost little per byte, small enough to keep memory flat.
const chunkBytes = 256 * 1024

/** Bytes of a stored pack from `start` up to `end`. */
interface StoredRun {
  pack: number
  start: number
  end: number
}

/** What goes out for one object: a header unless the stored one serves, then fresh bytes or stored ones. */
export interface EntryPiece {
  header: Buffer | undefined
  fresh: Buffer | undefined
  stored: StoredRun | undefined
}

/**
 * Gathers pieces into chunks. Entries that lie side by side are read from their pack in one go, straight into place:
 * a read costs 2 µs, as much as everything else that is done for a small entry.
 */
export class OutgoingChunk {
  /** Of the next byte, in the outgoing pack. */
  position: number
  #bytes = Buffer.allocUnsafe(chunkBytes)
  #length = 0
  #run: StoredRun = { pack: -1, start: 0, end: 0 }

  constructor(position = 0) {
    this.position = position
  }

  append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    this.position += bytes.length
  }

  /** Adds a piece, yielding every chunk that becomes full. */
  *fill(objects: ObjectDatabase, piece: EntryPiece): Generator<Buffer> {
    const { header, fresh, stored } = piece
    const run = this.#run
    const isNext = header === undefined && stored?.pack === run.pack && stored.start === run.end
    if (!isNext || run.end - run.start >= chunkBytes) yield* this.#flushRun(objects)
    if (header !== undefined) yield* this.#fillFresh(header)
    if (fresh !== undefined) yield* this.#fillFresh(fresh)
    if (stored === undefined) return
    this.position += stored.end - stored.start
    if (this.#run.start === this.#run.end) this.#run = { ...stored }
    else this.#run.end = stored.end
  }

  /** Yields what is left. */
  *finish(objects: ObjectDatabase): Generator<Buffer> {
    yield* this.#flushRun(objects)
    yield this.#take()
  }

  *#flushRun(objects: ObjectDatabase): Generator<Buffer> {
    const run = this.#run
    while (run.start < run.end) {
      if (this.#length === chunkBytes) yield this.#take()
      const length = Math.min(run.end - run.start, chunkBytes - this.#length)
      objects.copyStored(run.pack, run.start, this.#bytes, this.#length, length)
      this.#length += length
      run.start += length
    }
  }

  *#fillFresh(bytes: Buffer): Generator<Buffer> {
    for (let start = 0; start < bytes.length; ) {
      if (this.#length === chunkBytes) yield this.#take()
      const length = Math.min(bytes.length - start, chunkBytes - this.#length)
      this.append(bytes.subarray(start, start + length))
      start += length
    }
  }

  #take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafe(chunkBytes)
    this.#length = 0
    return bytes
  }
}
