/**
 * A spool: where a received pack waits until it is indexed. Its file keeps a name, so that a bucket can take it over by
 * linking to it; what a crash leaves is swept at the next start. Writes gather in memory, because a pack arrives in pieces of some
 * hundred bytes and a write(2) each would cost more than parsing it; and for a pack that fits there no file is made.
 */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { close, mkdirSync, openSync, read, rmSync, write } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { SpoolFile } from './disk.ts'
import { readFully } from './local-file.ts'
import type { SpoolBudget } from './spool-budget.ts'

const writeAsync = promisify(write)
const readAsync = promisify(read)
const pieceBytes = 256 * 1024
const leastBytes = 4 * 1024
/** Of a stream: fresh buffers for each piece would make V8 collect garbage all the time, since their memory counts for its heap's. */
const piecesHeld = 4

/** Creates an empty spool for `folder`, made if missing. What it holds is taken from `budget`, and released by its close. */
export function createSpoolFile(folder: string, budget: SpoolBudget): SpoolFile {
  return new Spool(folder, budget)
}

class Spool implements SpoolFile {
  readonly file: SpoolFile['file']
  readonly #path: string
  readonly #budget: SpoolBudget
  #openFd: number | undefined
  /** Grows up to `pieceBytes`. */
  #buffer = Buffer.allocUnsafe(0)
  /** How many bytes lie in the file, and how many behind them in `#buffer`. */
  #storedBytes = 0
  #bufferedBytes = 0
  #takenBytes = 0
  /** Reads and writes under way. A descriptor closed under them could be another file when they arrive. */
  #pending = 0
  #isAppending = false
  #isOpen = true
  #isLinked = false

  constructor(folder: string, budget: SpoolBudget) {
    this.#path = join(folder, `${randomUUID()}.spool`)
    this.#budget = budget
    const spool = this
    this.file = {
      get descriptor() {
        return spool.#fd
      },
      get sizeBytes() {
        return spool.#storedBytes + spool.#bufferedBytes
      },
      readSync: (into, offset, length, position) => this.#readSync(into, offset, length, position),
      close: () => this.close(),
    }
  }

  /** The file is made by whoever first needs it. */
  get #fd(): number {
    this.#assertOpen()
    if (this.#openFd !== undefined) return this.#openFd
    mkdirSync(dirname(this.#path), { recursive: true })
    this.#openFd = openSync(this.#path, 'wx+', 0o600)
    return this.#openFd
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    assert(!this.#isAppending, 'one write at a time')
    this.reserve(chunk.length)
    if (chunk.length <= pieceBytes - this.#bufferedBytes) return this.#keep(chunk)
    this.#isAppending = true
    try {
      await this.#appendBehindBuffer(chunk)
    } finally {
      this.#isAppending = false
    }
  }

  reserve(bytes: number): void {
    assert(!this.#isLinked, 'what was linked to stays as it is')
    this.#budget.take(bytes)
    this.#takenBytes += bytes
  }

  adopt(sizeBytes: number): void {
    assert(this.file.sizeBytes === 0, 'an empty spool')
    this.#budget.release(this.#takenBytes)
    this.#takenBytes = 0
    this.reserve(sizeBytes)
    this.#storedBytes = sizeBytes
  }

  linkPath(): string | undefined {
    this.#assertOpen()
    if (this.#openFd === undefined || this.#bufferedBytes > 0) return undefined
    this.#isLinked = true
    return this.#path
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    const end = this.file.sizeBytes
    const pieces = Array.from({ length: Math.min(piecesHeld, Math.ceil(end / pieceBytes)) }, () => {
      return Buffer.allocUnsafe(Math.min(pieceBytes, end))
    })
    for (let position = 0, turn = 0; position < end; turn++) {
      this.#assertOpen()
      const piece = pieces[turn % pieces.length].subarray(0, end - position)
      const stored = Math.min(piece.length, this.#storedBytes - position)
      let count = 0
      if (stored > 0) {
        count = (await this.#whileOpen(() => readAsync(this.#fd, piece, 0, stored, position))).bytesRead
        if (count === 0) throw new Error('A spool ended before what was written to it.')
      } else {
        count = this.#readSync(piece, 0, piece.length, position)
      }
      yield piece.subarray(0, count)
      position += count
    }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#pending === 0) this.#closeDescriptor()
  }

  async #appendBehindBuffer(chunk: Uint8Array): Promise<void> {
    const buffered = this.#bufferedBytes
    if (buffered > 0) await this.#append(this.#buffer.subarray(0, buffered))
    // Only now: until they are in the file, these bytes are read from the buffer.
    this.#storedBytes += buffered
    this.#bufferedBytes = 0
    if (chunk.length < pieceBytes) return this.#keep(chunk)
    await this.#append(chunk)
    this.#storedBytes += chunk.length
  }

  #keep(chunk: Uint8Array): void {
    const needed = this.#bufferedBytes + chunk.length
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(2 * needed, leastBytes)))
      larger.set(this.#buffer.subarray(0, this.#bufferedBytes))
      this.#buffer = larger
    }
    this.#buffer.set(chunk, this.#bufferedBytes)
    this.#bufferedBytes += chunk.length
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const position = this.#storedBytes + done
      const result = await this.#whileOpen(() => writeAsync(this.#fd, bytes, done, bytes.length - done, position))
      done += result.bytesWritten
    }
  }

  #readSync(into: Uint8Array, offset: number, length: number, position: number): number {
    this.#assertOpen()
    const fromFile = Math.min(length, Math.max(0, this.#storedBytes - position))
    const done = fromFile === 0 ? 0 : readFully(this.#fd, into, offset, fromFile, position)
    if (done < fromFile || done === length) return done
    const start = position + done - this.#storedBytes
    const end = Math.min(this.#bufferedBytes, start + length - done)
    if (end <= start) return done
    into.set(this.#buffer.subarray(start, end), offset + done)
    return done + end - start
  }

  async #whileOpen<T>(operation: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    this.#pending += 1
    try {
      return await operation()
    } finally {
      this.#pending -= 1
      if (!this.#isOpen && this.#pending === 0) this.#closeDescriptor()
    }
  }

  #closeDescriptor(): void {
    this.#budget.release(this.#takenBytes)
    if (this.#openFd === undefined) return
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // Nobody wants its bytes any more, and the next start sweeps it.
    }
    // Not at once: freeing the blocks of a file of gigabytes can take long.
    close(this.#openFd, () => {})
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error('This spool was closed.')
  }
}
