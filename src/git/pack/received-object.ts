/** An object of a pack that is being received, as it is shown to whoever looks at what comes in. */
import type { ObjectId } from '../object-id.ts'
import { objectIdAt } from '../object-id.ts'
import type { ObjectType } from '../repository.ts'

/** Valid during the call only: copy what is kept. */
export interface ReceivedObject {
  readonly type: ObjectType
  readonly id: ObjectId
  readonly sizeBytes: number
  /** Of commits, trees, tags and of small blobs. */
  readonly data: Buffer | undefined
  /** False also where there is no `data`. */
  beginsWith(prefix: Uint8Array): boolean
}

const nothing = Buffer.alloc(0)

/** The same for all objects, one after the other: most are passed over, and making a string or a buffer costs more than that. */
export class ShownObject implements ReceivedObject {
  type: ObjectType = 'blob'
  sizeBytes = 0
  #ids: Uint8Array = nothing
  #idAt = 0
  #buffer: Buffer | undefined
  #start = 0

  /** `buffer[start]` is where its data begins, if that is shown; its id stands at `ids[idAt]`. */
  show(
    object: { type: ObjectType; sizeBytes: number; ids: Uint8Array; idAt: number },
    buffer?: Buffer,
    start = 0,
  ): this {
    this.type = object.type
    this.sizeBytes = object.sizeBytes
    this.#ids = object.ids
    this.#idAt = object.idAt
    this.#buffer = buffer
    this.#start = start
    return this
  }

  get id(): ObjectId {
    return objectIdAt(this.#ids, this.#idAt)
  }

  get data(): Buffer | undefined {
    return this.#buffer?.subarray(this.#start, this.#start + this.sizeBytes)
  }

  beginsWith(prefix: Uint8Array): boolean {
    if (this.#buffer === undefined || this.sizeBytes < prefix.length) return false
    let index = 0
    while (index < prefix.length && this.#buffer[this.#start + index] === prefix[index]) index++
    return index === prefix.length
  }
}
