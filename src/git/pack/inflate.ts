/**
 * Inflating pack entries with one zlib handle that is reset between objects. `inflateSync(…, { info: true })` makes a
 * stream object each time: 5.8 µs for a 60-byte object, against 0.6 µs here. The price is that `_handle` and `_writeState`
 * are internals of `node:zlib` (unchanged in Node 20, 22 and 24): this file alone touches them, and tries them when it is
 * loaded.
 */
import { constants, createInflate } from 'node:zlib'
import { packInvalid } from './format.ts'

interface Handle {
  close(): void
  writeSync(
    flush: number,
    input: Uint8Array,
    inOffset: number,
    inLength: number,
    output: Uint8Array,
    outOffset: number,
    outLength: number,
  ): void
  reset(): void
  onerror: (message: string, errno: number, code: string) => void
}

/** zlib's fast loop runs only while so much output is free: with it behind an object, small ones take a fifth less time. */
export const inflateRoomBytes = 320

/** Not for concurrent use: one object or one stream at a time. */
export class Inflater {
  /** Of the last `feed`: input bytes used, output bytes made. */
  consumedBytes = 0
  producedBytes = 0
  /** True once the stream's end was seen, which takes one byte behind it (in a pack another entry or the trailer). */
  isEnded = false

  readonly #handle: Handle
  /** What zlib leaves after a write: free output bytes, unused input bytes. */
  readonly #left: Uint32Array
  readonly #overflow = new Uint8Array(1)
  #failure: string | undefined

  constructor() {
    const stream = createInflate({ chunkSize: 64 }) as unknown as { _handle: Handle; _writeState: Uint32Array }
    this.#handle = stream._handle
    this.#left = stream._writeState
    this.#handle.onerror = (message) => {
      this.#failure = message
    }
  }

  /**
   * Inflates one whole object of `sizeBytes` from `input[inOffset]` (at most `inLength` bytes) to `output[outOffset]`
   * and returns how many input bytes it took. What `output` has to spare behind the object, up to `inflateRoomBytes`, is
   * overwritten; one byte saves a write, all of them time. Throws PackInvalid if the data is corrupt, cut off, or of another size.
   */
  inflateInto(
    input: Uint8Array,
    inOffset: number,
    inLength: number,
    output: Uint8Array,
    outOffset: number,
    sizeBytes: number,
  ): number {
    this.start()
    const room = Math.min(sizeBytes + inflateRoomBytes, output.length - outOffset)
    if (room < sizeBytes) throw new RangeError('The output has no room for the object.')
    if (room > 0) this.#write(constants.Z_FINISH, input, inOffset, inLength, output, outOffset, room)
    else this.#left.set([0, inLength])
    let unused = this.#left[1]
    let outLeft = this.#left[0]
    let expectedLeft = room - sizeBytes
    if (room === sizeBytes && outLeft === 0) {
      this.#write(constants.Z_FINISH, input, inOffset + inLength - unused, unused, this.#overflow, 0, 1)
      unused = this.#left[1]
      outLeft = this.#left[0]
      expectedLeft = 1
    }
    // Z_FINISH with free output left and no error means that the stream has ended.
    if (outLeft === 0 || outLeft !== expectedLeft)
      throw packInvalid('an object inflates to another size than announced')
    return inLength - unused
  }

  /** Begins a stream that arrives in pieces. */
  start(): void {
    this.#failure = undefined
    this.isEnded = false
    this.#handle.reset()
  }

  /**
   * Feeds input and takes output; sets `consumedBytes`, `producedBytes` and `isEnded`. Call again with the unused input
   * while the output was filled. Throws PackInvalid for corrupt data.
   */
  feed(
    input: Uint8Array,
    inOffset: number,
    inLength: number,
    output: Uint8Array,
    outOffset: number,
    outLength: number,
  ): void {
    this.#write(constants.Z_SYNC_FLUSH, input, inOffset, inLength, output, outOffset, outLength)
    this.producedBytes = outLength - this.#left[0]
    this.consumedBytes = inLength - this.#left[1]
    this.isEnded = this.#left[0] > 0 && this.#left[1] > 0
  }

  /** Frees zlib's memory now; without it the garbage collector does. */
  close(): void {
    this.#handle.close()
  }

  #write(
    flush: number,
    input: Uint8Array,
    inOffset: number,
    inLength: number,
    output: Uint8Array,
    outOffset: number,
    outLength: number,
  ): void {
    this.#handle.writeSync(flush, input, inOffset, inLength, output, outOffset, outLength)
    if (this.#failure !== undefined) throw packInvalid(`zlib says "${this.#failure}"`)
  }
}

// An inflater is a stream object and 40 KiB of zlib's. As many as there are receptions at once, seldom more than a few.
const idleMax = 16
const idle: Inflater[] = []

/** One for the caller alone, until it is given back. */
export function borrowInflater(): Inflater {
  return idle.pop() ?? new Inflater()
}

/** To be called once, when nothing uses it any more. */
export function returnInflater(inflater: Inflater): void {
  if (idle.length < idleMax) idle.push(inflater)
  else inflater.close()
}

function tryInternals(): void {
  const sample = Buffer.from('789ccb48cdc9c90700062c0215ffff', 'hex')
  const output = Buffer.alloc(6)
  try {
    const consumed = new Inflater().inflateInto(sample, 0, sample.length, output, 0, 5)
    if (consumed === sample.length - 2 && output.toString('latin1', 0, 5) === 'hello') return
  } catch (cause) {
    throw new Error(complaint, { cause })
  }
  throw new Error(complaint)
}

const complaint = `node:zlib of Node ${process.version} has other internals than src/git/pack/inflate.ts relies on.`
tryInternals()
