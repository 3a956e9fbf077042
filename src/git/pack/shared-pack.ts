/**
 * Packs from one thread to another. Descriptors belong to the process and indexes lie in shared memory, so that a pack
 * that is open in one thread costs another next to nothing; the thread that opened it keeps it open meanwhile.
 */
import type { BlockSource, PackBytes } from './pack-bytes.ts'

/** A file of this process, the whole pack in shared memory, or what is asked for block by block. */
export type SharedBytes = { descriptor: number } | { memory: Uint8Array } | { blocks: BlockSource }

export interface SharedPack {
  /** Unique in the process; the same for the same opened pack. */
  number: number
  bytes: SharedBytes
  sizeBytes: number
  isThin: boolean
  /** In shared memory; one that was checked. */
  index: Uint8Array
  /** As well. */
  sideCar: Uint8Array | undefined
}

/** `bytes`, or a copy of them, in memory that threads share. */
export function toSharedMemory(bytes: Uint8Array): Buffer {
  const { buffer, byteOffset, byteLength } = bytes
  if (buffer instanceof SharedArrayBuffer) return Buffer.from(buffer, byteOffset, byteLength)
  const shared = Buffer.from(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** The bytes of a pack that lies in memory as a whole. */
export function bytesInMemory(pack: Uint8Array): PackBytes {
  const bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength)
  return {
    sizeBytes: bytes.length,
    readSync: (into, offset, length, position) => bytes.copy(into, offset, position, position + length),
  }
}
