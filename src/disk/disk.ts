/**
 * The local disk: a bounded cache of immutable files, and the spool in which a received pack waits. Losing it costs time
 * only. The types here match the ports of `git/pack/` by shape; neither room imports the other.
 */
import type { Arrival, ReadRange } from './arrival.ts'

/** An open, immutable local file that is read synchronously at any position. */
export interface LocalFile {
  readonly sizeBytes: number
  /** For other threads of this process, while it is open. */
  readonly descriptor: number
  /** Reads up to `length` bytes at `position` into `into` at `offset`; returns how many, fewer only at the end. */
  readSync(into: Uint8Array, offset: number, length: number, position: number): number
  /**
   * Fills `views` one after another from `position`, off the event loop. Rejects where the file ends before; where bytes
   * have yet to come, also once `signal` fires.
   */
  readViews(views: readonly Uint8Array[], position: number, signal?: AbortSignal): Promise<void>
  /** Closes the descriptor. The bytes stay readable through other descriptors even if the file is evicted. */
  close(): void
}

/** A file that is being written. It is gone when closed; after a crash, with the next start. */
export interface SpoolFile {
  /** Appends. Rejects with StorageFull, having appended nothing, where all spools together would hold too much. */
  write(chunk: Uint8Array): Promise<void>
  /** What has been written so far, for reading; stays valid while the spool is open. */
  readonly file: Omit<LocalFile, 'readViews'>
  /** Sets room aside for bytes that another thread will write to the descriptor. Throws StorageFull as `write` does. */
  reserve(bytes: number): void
  /**
   * Another thread, done now, has written the first `sizeBytes` to the empty spool's descriptor. Frees what was reserved
   * beyond them; throws StorageFull where they are more and there is no room.
   */
  adopt(sizeBytes: number): void
  /**
   * A name of the file until it is closed, for whoever wants to link to it, after which nothing can be written any more;
   * undefined where part of it lies in memory.
   */
  linkPath(): string | undefined
  /** Everything written, from the first byte, in pieces, whose memory is used again once three more were taken. */
  stream(): AsyncIterable<Uint8Array>
  close(): void
}

/** A file whose bytes may still come, from the front on. `readViews` waits for them; `readSync` reads what has come. */
export interface ArrivingFile extends LocalFile {
  /** Undefined where all of it lies here. */
  readonly arrival: Pick<Arrival, 'arrivedBytes' | 'until' | 'whole'> | undefined
}

export interface Disk {
  /** What cached files may take together, those that are open apart: they cannot be evicted. */
  readonly cacheMaxBytes: number
  /** The cached file of `key`; on a miss `fill` is asked for the bytes, once however many callers wait. */
  open(key: string, fill: () => Promise<AsyncIterable<Uint8Array>>): Promise<LocalFile>
  /**
   * The same without waiting for the bytes, which are as many as `sizeBytes`. Whoever closes such a file last, while some are
   * missing, ends their coming.
   */
  openArriving(key: string, sizeBytes: number, read: ReadRange): Promise<ArrivingFile>
  createSpool(): SpoolFile
  /** How much this process may still write here. Rejects where it may not write at all. */
  freeBytes(): Promise<number>
  close(): Promise<void>
}
