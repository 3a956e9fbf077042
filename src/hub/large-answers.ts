/**
 * Large answers that were asked for twice, in unnamed files on the local disk: the shallow clone that every run of a
 * pipeline asks for is sent as it lies. Most answers are asked for once, so the first time only notes the key.
 */
import { LRUCache } from 'lru-cache'
import type { ByteStream } from '../git/object-id.ts'

export interface LargeAnswers {
  /** The answer as it lies; undefined where it does not. */
  find(key: string): ByteStream | undefined
  /** Remembers that an answer was too large for memory. */
  note(key: string): void
  isNoted(key: string): boolean
  /** `stream` as it is, and kept while it passes unless somebody is keeping it already. */
  keep(key: string, stream: ByteStream): ByteStream
}

/** An unnamed file, gone when closed. `write` rejects where there is no room. */
export interface AnswerSpool {
  write(chunk: Uint8Array): Promise<void>
  stream(): ByteStream
  close(): void
}

export interface LargeAnswersOptions {
  createSpool(): AnswerSpool
  /** Of all whole answers together; one may take a quarter. As much again may be on its way. */
  keptMaxBytes: number
  keptForMs: number
}

interface Kept {
  spool: AnswerSpool
  sizeBytes: number
  readers: number
  isDropped: boolean
}

const notedMax = 10_000

export function createLargeAnswers({ createSpool, keptMaxBytes, keptForMs }: LargeAnswersOptions): LargeAnswers {
  const noted = new LRUCache<string, true>({ max: notedMax, ttl: keptForMs })
  const keeping = new Set<string>()
  /** Of answers that are being kept and are not whole yet. */
  let keepingBytes = 0
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, keptMaxBytes),
    sizeCalculation: ({ sizeBytes }) => sizeBytes,
    ttl: keptForMs,
    ttlAutopurge: true,
    dispose: (answer) => {
      answer.isDropped = true
      closeUnread(answer)
    },
  })

  /** Whatever happens to the copy, the stream goes on; what did not end with a flush has failed, or ends in a bare pack. */
  async function* keepWhilePassing(key: string, stream: ByteStream): AsyncGenerator<Uint8Array> {
    const spool = createSpool()
    let sizeBytes = 0
    let isKept = true
    let last: Uint8Array = new Uint8Array(0)
    const giveUp = () => {
      isKept = false
      keepingBytes -= sizeBytes
      spool.close()
    }
    keeping.add(key)
    try {
      for await (const piece of stream) {
        if (isKept && hasRoom(sizeBytes + piece.length, piece.length)) {
          sizeBytes += piece.length
          keepingBytes += piece.length
          if (await wasWritten(spool, piece)) last = Buffer.from(piece.subarray(-flush.length))
          else giveUp()
        } else if (isKept) giveUp()
        yield piece
      }
      if (isKept && flush.equals(last)) {
        isKept = false
        keepingBytes -= sizeBytes
        kept.set(key, { spool, sizeBytes, readers: 0, isDropped: false })
      }
    } finally {
      keeping.delete(key)
      if (isKept) giveUp()
    }
  }

  /** An answer takes a quarter at most, and those that are not whole yet together as much as the whole ones. */
  function hasRoom(sizeBytes: number, moreBytes: number): boolean {
    return sizeBytes <= keptMaxBytes / 4 && keepingBytes + moreBytes <= keptMaxBytes
  }

  return {
    find(key) {
      const answer = kept.get(key)
      return answer === undefined ? undefined : read(answer)
    },
    note: (key) => void noted.set(key, true),
    isNoted: (key) => noted.has(key),
    keep: (key, stream) => (keeping.has(key) ? stream : keepWhilePassing(key, stream)),
  }
}

const flush = Buffer.from('0000')

/** False where the spools have no room. */
async function wasWritten(spool: AnswerSpool, piece: Uint8Array): Promise<boolean> {
  return await spool.write(piece).then(
    () => true,
    () => false,
  )
}

function read(answer: Kept): ByteStream {
  answer.readers++
  return (async function* () {
    try {
      yield* answer.spool.stream()
    } finally {
      answer.readers--
      closeUnread(answer)
    }
  })()
}

function closeUnread({ spool, readers, isDropped }: Kept): void {
  if (isDropped && readers === 0) spool.close()
}
