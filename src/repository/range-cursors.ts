/**
 * Reads of an immutable key in the bucket at any position, by several readers that each go forward: a request that is open
 * at the right place is read on, since a new one costs a round trip to the store.
 */
import type { ByteStream } from '../git/object-id.ts'

/** An open request, and the bytes at hand. */
interface Cursor {
  position: number
  chunks: AsyncIterator<Uint8Array>
  rest: Uint8Array
  idleTimer: NodeJS.Timeout | undefined
}

// A reader that comes back later asks anew. Less than stores leave a request open that nobody reads.
const idleMaxMs = 10_000

export class RangeCursors {
  readonly #open: (start: number) => Promise<ByteStream>
  readonly #idle = new Map<number, Cursor>()
  #isClosed = false

  /** `open` begins to read at `start`, to the end. */
  constructor(open: (start: number) => Promise<ByteStream>) {
    this.#open = open
  }

  /** Fills the views, one after the other, with the bytes from `position` on. Leaves a read that hangs once `signal` fires. */
  async readViews(views: readonly Uint8Array[], position: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const cursor = this.#take(position) ?? (await this.#start(position))
    const giveUp = () => void leave(cursor)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      signal?.throwIfAborted()
      for (const view of views) await fill(cursor, view)
      signal?.throwIfAborted()
    } catch (error) {
      await leave(cursor)
      throw signal?.aborted ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
    await this.#keep(cursor)
  }

  close(): void {
    this.#isClosed = true
    for (const cursor of this.#idle.values()) void leave(cursor)
    this.#idle.clear()
  }

  #take(position: number): Cursor | undefined {
    const cursor = this.#idle.get(position)
    if (cursor === undefined) return undefined
    this.#idle.delete(position)
    clearTimeout(cursor.idleTimer)
    return cursor
  }

  async #start(position: number): Promise<Cursor> {
    const stream = await this.#open(position)
    return { position, chunks: stream[Symbol.asyncIterator](), rest: new Uint8Array(0), idleTimer: undefined }
  }

  async #keep(cursor: Cursor): Promise<void> {
    if (this.#isClosed || this.#idle.has(cursor.position)) return await leave(cursor)
    this.#idle.set(cursor.position, cursor)
    cursor.idleTimer = setTimeout(() => {
      this.#idle.delete(cursor.position)
      void leave(cursor)
    }, idleMaxMs).unref()
  }
}

async function fill(cursor: Cursor, view: Uint8Array): Promise<void> {
  for (let done = 0; done < view.length; ) {
    if (cursor.rest.length === 0) {
      const next = await cursor.chunks.next()
      if (next.done) throw new Error('The bucket gave less than was asked for.')
      cursor.rest = next.value
    }
    const length = Math.min(view.length - done, cursor.rest.length)
    view.set(cursor.rest.subarray(0, length), done)
    cursor.rest = cursor.rest.subarray(length)
    cursor.position += length
    done += length
  }
}

async function leave(cursor: Cursor): Promise<void> {
  clearTimeout(cursor.idleTimer)
  // What the request's end meets no longer matters to anybody.
  await Promise.resolve(cursor.chunks.return?.()).catch(() => {})
}
