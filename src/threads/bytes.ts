/**
 * Bytes from one side of a port to the other, with back-pressure: the sender holds back once so much is under way that
 * the receiver has not taken. Pieces are gathered into large ones, since each message costs some 20 µs on both sides. Their
 * memory goes back and forth: fresh buffers count as V8's own heap, and 40 MB of them made it collect garbage for 0.1 s.
 */

/** What may be under way. */
const windowBytes = 1024 * 1024
const pieceBytes = 256 * 1024
/** One that the reader works on, one that waits for it, one on its way to a client, and one to spare. */
const piecesHeld = 4

/** The sending end. `post` must hand a piece over; `taken` is to be called as the receiver takes them. */
export class BytesOut {
  readonly #post: (piece: Uint8Array<ArrayBuffer>) => void
  readonly #spare: ArrayBuffer[] = []
  #buffer = new Uint8Array(new ArrayBuffer(pieceBytes))
  #length = 0
  #underWayBytes = 0
  #room: (() => void) | undefined
  #failure: { error: unknown } | undefined

  constructor(post: (piece: Uint8Array<ArrayBuffer>) => void) {
    this.#post = post
  }

  /** Copies `chunk`, so that its memory stays the caller's. Rejects once `close` was called. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      await this.#untilRoom()
      const length = Math.min(chunk.length - at, pieceBytes - this.#length)
      this.#buffer.set(chunk.subarray(at, at + length), this.#length)
      this.#length += length
      at += length
      if (this.#length === pieceBytes) this.#send()
    }
    // A receiver that waits gets what there is; one that has something to do gets more at once, later.
    if (this.#underWayBytes === 0) this.#send()
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#send()
  }

  /** The receiver has taken a piece of `bytes`, and has done with the memory of another. */
  taken(bytes: number, free: ArrayBuffer | undefined): void {
    if (free !== undefined) this.#spare.push(free)
    this.#underWayBytes -= bytes
    if (this.#underWayBytes === 0) this.#send()
    this.#wake()
  }

  /** The receiver wants no more: writes reject with `error`. */
  close(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async #untilRoom(): Promise<void> {
    while (this.#failure === undefined && this.#underWayBytes >= windowBytes) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#room = resolve
      await promise
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #send(): void {
    if (this.#length === 0) return
    const piece = this.#buffer.subarray(0, this.#length)
    this.#underWayBytes += this.#length
    this.#buffer = new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(pieceBytes))
    this.#length = 0
    this.#post(piece)
  }

  #wake(): void {
    this.#room?.()
    this.#room = undefined
  }
}

/** Hears of every piece that was taken, and of memory that is free again. */
type OnTaken = (bytes: number, free: ArrayBuffer | undefined) => void

/**
 * The receiving end, read by one reader. The memory of a piece is used again once three more have been taken: whoever keeps
 * it copies it.
 */
export class BytesIn {
  readonly #onTaken: OnTaken
  readonly #pieces: Uint8Array<ArrayBuffer>[] = []
  readonly #held: ArrayBuffer[] = []
  #end: { error: unknown } | undefined
  #news: (() => void) | undefined

  constructor(onTaken: OnTaken) {
    this.#onTaken = onTaken
  }

  push(piece: Uint8Array<ArrayBuffer>): void {
    this.#pieces.push(piece)
    this.#wake()
  }

  /** No more will come; with an error, reading throws it behind the last piece. */
  end(error?: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#held.push(piece.buffer)
        this.#onTaken(piece.length, this.#held.length > piecesHeld ? this.#held.shift() : undefined)
        yield piece
      } else if (this.#end === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#news = resolve
        await promise
      } else if (this.#end.error === undefined) return
      else throw this.#end.error
    }
  }

  #wake(): void {
    this.#news?.()
    this.#news = undefined
  }
}
