/**
 * The Bucket port: every byte at rest. Two adapters, one contract suite (test/contract/bucket.ts).
 *
 * Contract. Keys are never reused and bytes under a key never change (design.md §3). `put` and `completeUpload` resolve
 * only once the bytes are durable; before that, and after a failure, nothing is visible under the key. A source that
 * fails makes `put` reject with the source's error, and leaves nothing behind.
 */
import type { FileHandle } from 'node:fs/promises'

export type ByteStream = AsyncIterable<Uint8Array>

/** Bytes `start` up to and including `end`, as in HTTP. */
export interface ByteRange {
  start: number
  end: number
}

export interface PutOptions {
  /** Cancels the upload: rejects, nothing stays. */
  signal?: AbortSignal
}

/** A file on the local disk that nobody changes any more. */
export interface FileToPut {
  /** A name under which it can be linked to, as long as it is open; undefined where there is none. */
  linkPath(): string | undefined
  stream(): ByteStream
}

export interface GetOptions {
  /** The caller is done with a chunk before it asks for the next: its memory may then be used again. */
  reusesChunks?: boolean
}

export interface BytesStat {
  sizeBytes: number
  modifiedAt: Date
}

export interface SignedGetOptions {
  expiresInSeconds: number
  /** Response headers the store is asked to send. */
  contentDisposition?: string
  contentType?: string
}

/** What a client is told in order to PUT bytes straight into the store, bound to their size and SHA-256. */
export interface SignedPut {
  url: string
  /** Headers the client must send as they are; empty in the `query` form. */
  headers: Record<string, string>
}

export interface SignedPutOptions {
  sizeBytes: number
  /** 64 hex digits. The store refuses other bytes. Undefined: any bytes of that size, for parts that are proven later. */
  sha256: string | undefined
  expiresInSeconds: number
  /** `headers` for clients that send an action's headers (git-lfs), `query` for those that do not. */
  form: 'headers' | 'query'
}

export interface Bucket {
  /** Streams `body` to a new key; any length, in flat memory. Resolves to the number of bytes. */
  put(key: string, body: ByteStream, options?: PutOptions): Promise<number>
  /** As `put`. A bucket on the same file system gives the file a second name instead of copying it. */
  putFile(key: string, file: FileToPut, options?: PutOptions): Promise<number>
  /** The bytes, or a range of them. Rejects with BytesMissing before the first byte. Leaving the loop frees everything. */
  get(key: string, range?: ByteRange, options?: GetOptions): Promise<ByteStream>
  /** Undefined when there are none. */
  stat(key: string): Promise<BytesStat | undefined>
  /** Deletes all keys; those that do not exist count as deleted. */
  delete(keys: readonly string[]): Promise<void>
  /** All keys that begin with `prefix`, in byte order. */
  list(prefix: string): AsyncIterable<BytesStat & { key: string }>
  /** An open descriptor on the bytes where they are a local file; undefined where they are not. The caller closes it. */
  openFile(key: string): Promise<FileHandle | undefined>
  /** A URL that reads the key without credentials; undefined: stream through the server. */
  signedGet(key: string, options: SignedGetOptions): Promise<string | undefined>
  /**
   * A URL that writes the key; undefined where the store offers none, or was seen at `probe` not to refuse wrong bytes
   * in this form: send the client through the server.
   */
  signedPut(key: string, options: SignedPutOptions): Promise<SignedPut | undefined>
  /** Run once at start: is the bucket there, and which forms of signedPut does it enforce? Rejects with a sentence. */
  probe(): Promise<void>
}
