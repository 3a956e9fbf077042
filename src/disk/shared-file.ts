/** Files of this process that another of its threads has opened: a descriptor's number is all that is needed. */
import { writeSync } from 'node:fs'
import { readFully } from './local-file.ts'

/** An open, immutable file, to be read only while the thread that opened it keeps it open. */
export function sharedFile(descriptor: number, sizeBytes: number) {
  return {
    sizeBytes,
    descriptor,
    readSync: (into: Uint8Array, offset: number, length: number, position: number) =>
      readFully(descriptor, into, offset, length, position),
  }
}

const pieceBytes = 256 * 1024

/** Writes to an empty spool that another thread lends. What it holds is in the file once `finish` was called. */
export class SharedSpool {
  /** What has been written so far. */
  readonly file: { readSync(into: Uint8Array, offset: number, length: number, position: number): number }
  readonly #descriptor: number
  readonly #buffer = Buffer.allocUnsafe(pieceBytes)
  #bufferedBytes = 0
  #storedBytes = 0

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.file = {
      readSync: (into, offset, length, position) => {
        if (position + length > this.#storedBytes) this.finish()
        return readFully(descriptor, into, offset, length, position)
      },
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#bufferedBytes + chunk.length > this.#buffer.length) this.finish()
    if (chunk.length > this.#buffer.length) return this.#append(chunk)
    this.#buffer.set(chunk, this.#bufferedBytes)
    this.#bufferedBytes += chunk.length
  }

  /** Brings what was gathered into the file. */
  finish(): void {
    this.#append(this.#buffer.subarray(0, this.#bufferedBytes))
    this.#bufferedBytes = 0
  }

  #append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const written = writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#storedBytes)
      done += written
      this.#storedBytes += written
    }
  }
}
