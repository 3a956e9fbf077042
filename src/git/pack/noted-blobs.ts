/**
 * Blobs of a received pack that somebody will want to look at: small ones that begin in a certain way, and large ones.
 * Noted in flat memory while the pack comes in, so that reception may run in another thread than the rules.
 */
import { idBytes, type ObjectId, objectIdAt } from '../object-id.ts'
import type { ReceivedObject } from './received-object.ts'

export interface BlobsToNote {
  /** Small blobs (those that reception shows with their data) are noted where they begin with this. */
  smallPrefix: Uint8Array
  /** How many small ones are kept; the rest is counted. */
  smallMax: number
  /** Blobs above this size are noted. */
  largeAboveBytes: number
  largeMax: number
}

/** A plain value, to be copied between threads. */
export interface NotedBlobs {
  smallCount: number
  /** The kept ones, one behind the other: 20 bytes of id, 2 of length, then the data. */
  small: Uint8Array
  largeCount: number
  large: { id: ObjectId; sizeBytes: number }[]
}

export class BlobNotes {
  readonly #wanted: BlobsToNote
  #small = Buffer.alloc(0)
  #smallBytes = 0
  #smallCount = 0
  #largeCount = 0
  readonly #large: NotedBlobs['large'] = []

  constructor(wanted: BlobsToNote) {
    this.#wanted = wanted
  }

  /** To be passed as `visit` to the receiving of the pack. */
  readonly visit = (object: ReceivedObject): void => {
    if (object.type !== 'blob') return
    const { sizeBytes } = object
    const { smallPrefix, smallMax, largeAboveBytes, largeMax } = this.#wanted
    if (sizeBytes > largeAboveBytes) {
      this.#largeCount++
      if (this.#large.length < largeMax) this.#large.push({ id: object.id, sizeBytes })
    }
    if (!object.beginsWith(smallPrefix) || object.data === undefined) return
    if (this.#smallCount++ < smallMax) this.#keep(object.id, object.data)
  }

  get noted(): NotedBlobs {
    const small = this.#small.subarray(0, this.#smallBytes)
    return { smallCount: this.#smallCount, small, largeCount: this.#largeCount, large: this.#large }
  }

  #keep(id: ObjectId, data: Buffer): void {
    const end = this.#smallBytes + idBytes + 2 + data.length
    if (end > this.#small.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#small.length * 2, 4096))
      this.#small.copy(grown, 0, 0, this.#smallBytes)
      this.#small = grown
    }
    this.#small.write(id, this.#smallBytes, 'hex')
    this.#small.writeUInt16BE(data.length, this.#smallBytes + idBytes)
    this.#small.set(data, this.#smallBytes + idBytes + 2)
    this.#smallBytes = end
  }
}

/** The small blobs that were kept, in the order in which they came. */
export function* smallBlobs({ small }: NotedBlobs): Generator<{ id: ObjectId; data: Buffer }> {
  const bytes = Buffer.from(small.buffer, small.byteOffset, small.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const dataAt = at + idBytes + 2
    const end = dataAt + bytes.readUInt16BE(at + idBytes)
    yield { id: objectIdAt(bytes, at), data: bytes.subarray(dataAt, end) }
    at = end
  }
}
