/** Connections for GETs of much, kept for the next: a pack comes in many ranges, and each new connection begins slowly. */
import type { ByteStream } from './bucket.ts'
import { type AnswerHead, GetConnection } from './get-connection.ts'

// Stores end what rests for longer, and a resting connection holds memory.
const restMaxMs = 2_000
const restingMax = 16

export interface GetAnswer extends AnswerHead {
  /** Their memory is used again once the next is asked for. */
  chunks: ByteStream
  close(): void
}

export class GetConnections {
  readonly #idleTimeoutMs: number
  readonly #resting = new Map<GetConnection, { host: string; timer: NodeJS.Timeout }>()

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** Undefined where nothing came that is bytes: the ordinary client asks again, and tells what the matter is. */
  async get(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<GetAnswer | undefined> {
    for (;;) {
      signal.throwIfAborted()
      const rested = this.#take(url.host)
      const connection = rested ?? new GetConnection(url, this.#idleTimeoutMs)
      const close = () => connection.close()
      signal.addEventListener('abort', close, { once: true })
      const head = await connection
        .ask(url, headers)
        .catch(() => undefined)
        .finally(() => signal.removeEventListener('abort', close))
      if (head !== undefined) return this.#answer(url.host, connection, head)
      close()
      // The store may have ended a connection while it rested.
      if (rested === undefined && !signal.aborted) return undefined
    }
  }

  #answer(host: string, connection: GetConnection, head: AnswerHead): GetAnswer {
    let isOver = false
    const end = (isWhole: boolean) => {
      // By now it may serve another GET.
      if (isOver) return
      isOver = true
      if (isWhole && head.isKept && this.#resting.size < restingMax) this.#keep(host, connection)
      else connection.close()
    }
    return { ...head, chunks: chunksOf(connection, end), close: () => end(false) }
  }

  #take(host: string): GetConnection | undefined {
    for (const [connection, { host: to, timer }] of this.#resting) {
      if (to !== host) continue
      this.#resting.delete(connection)
      clearTimeout(timer)
      if (connection.isOpen) return connection
    }
    return undefined
  }

  #keep(host: string, connection: GetConnection): void {
    connection.rest()
    const end = () => {
      this.#resting.delete(connection)
      connection.close()
    }
    this.#resting.set(connection, { host, timer: setTimeout(end, restMaxMs).unref() })
  }
}

async function* chunksOf(connection: GetConnection, end: (isWhole: boolean) => void): AsyncGenerator<Uint8Array> {
  let isWhole = false
  try {
    for (let piece = await connection.next(); piece !== undefined; piece = await connection.next()) yield piece
    isWhole = true
  } finally {
    end(isWhole)
  }
}
