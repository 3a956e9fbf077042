/**
 * The blobs of a commit on their way in: each is compressed and spooled as it comes, so that a commit of any size holds one
 * file at a time. They wait on the local disk until the trees above them are known.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflate, deflateSync } from 'node:zlib'
import { fairLoop } from '../../git/fair-loop.ts'
import { hashObject } from '../../git/hash-object.ts'
import type { ByteStream, ObjectId } from '../../git/object-id.ts'
import { formatEntry, writePackHeader } from '../../git/pack/format.ts'
import type { GitObject } from '../../git/repository.ts'
import type { Hub } from '../hub.ts'

type SpoolFile = ReturnType<Hub['repositories']['createSpool']>

const deflateAsync = promisify(deflate)

// Above it compressing takes so long that a thread's turn is worth while.
const compressedHereMaxBytes = 16 * 1024

const hashedAtOnceBytes = 1024 * 1024

export class CommitBlobs {
  readonly #spool: SpoolFile
  readonly #ids = new Set<ObjectId>()

  /** Closed by its owner. */
  constructor(spool: SpoolFile) {
    this.#spool = spool
  }

  /** Takes a blob; the same content twice is kept once. Rejects with StorageFull. */
  async add(data: Buffer): Promise<ObjectId> {
    const blobId = data.length > hashedAtOnceBytes ? await hashInSlices(data) : hashObject({ type: 'blob', data })
    if (this.#ids.has(blobId)) return blobId
    this.#ids.add(blobId)
    const compressed = data.length <= compressedHereMaxBytes ? deflateSync(data) : await deflateAsync(data)
    await this.#spool.write(formatEntry({ type: 'blob', data }, compressed))
    return blobId
  }

  /** A pack of these blobs and of `others`; may be asked for again. Its pieces lie in memory that is used again, as the spool's. */
  async *pack(others: readonly GitObject[]): ByteStream & AsyncGenerator<Uint8Array> {
    const hash = createHash('sha1')
    for await (const piece of this.#pieces(others)) {
      hash.update(piece)
      yield piece
    }
    yield hash.digest()
  }

  async *#pieces(others: readonly GitObject[]): AsyncGenerator<Uint8Array> {
    yield writePackHeader(this.#ids.size + others.length)
    yield* this.#spool.stream()
    const pause = fairLoop()
    for (const object of others) {
      if (pause.due(8)) await pause.now()
      yield formatEntry(object, deflateSync(object.data))
    }
  }
}

/** As `hashObject`, and lets other requests run meanwhile. */
async function hashInSlices(data: Buffer): Promise<ObjectId> {
  const hash = createHash('sha1').update(`blob ${data.length}\0`)
  const pause = fairLoop()
  for (let at = 0; at < data.length; at += hashedAtOnceBytes) {
    hash.update(data.subarray(at, at + hashedAtOnceBytes))
    if (pause.due(64)) await pause.now()
  }
  return hash.digest('hex') as ObjectId
}
