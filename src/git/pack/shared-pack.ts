/**
 * Packs from one thread to another. Descriptors belong to the process and indexes lie in shared memory, so that a pack
 * that is open in one thread costs another next to nothing; the thread that opened it keeps it open meanwhile.
 */
import { LRUCache } from 'lru-cache'
import { type PackBytes, PackFile } from './pack-file.ts'
import { PackIndex } from './pack-index.ts'
import { SideCar } from './side-car.ts'

export interface SharedPack {
  /** Unique in the process; the same for the same opened pack. */
  number: number
  descriptor: number
  sizeBytes: number
  isThin: boolean
  /** In shared memory; one that was checked. */
  index: Uint8Array
  /** As well. */
  sideCar: Uint8Array | undefined
}

/** A copy of `bytes` that threads can share. */
export function toSharedMemory(bytes: Uint8Array): Buffer {
  const shared = Buffer.from(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** Opens packs that other threads share, and keeps what was made of their indexes. */
export class SharedPacks {
  readonly #openBytes: (pack: SharedPack) => PackBytes
  readonly #opened = new LRUCache<number, PackFile>({ max: 4_096 })

  constructor(openBytes: (pack: SharedPack) => PackBytes) {
    this.#openBytes = openBytes
  }

  /** To be read only while the thread that shares it keeps it open. */
  open(pack: SharedPack): PackFile {
    const opened = this.#opened.get(pack.number) ?? this.#openNow(pack)
    this.#opened.set(pack.number, opened)
    return opened
  }

  #openNow(pack: SharedPack): PackFile {
    const { buffer, byteOffset, byteLength } = pack.index
    const index = new PackIndex(Buffer.from(buffer, byteOffset, byteLength), { isChecked: true })
    const sideCar = pack.sideCar === undefined ? undefined : new SideCar(pack.sideCar, index, { isChecked: true })
    return new PackFile(index, this.#openBytes(pack), pack.isThin, sideCar)
  }
}
