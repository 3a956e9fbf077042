/** Packs that other threads have opened, as one thread reads them. */
import { LRUCache } from 'lru-cache'
import { BlockBytes } from './block-bytes.ts'
import type { BlockSource, PackBytes } from './pack-bytes.ts'
import { PackFile } from './pack-file.ts'
import { PackIndex } from './pack-index.ts'
import { bytesInMemory, type SharedPack } from './shared-pack.ts'
import { SideCar } from './side-car.ts'

/** How a thread comes by the bytes of packs that another one has opened. */
export interface ThreadFiles {
  openFile(descriptor: number, sizeBytes: number): PackBytes
  /** A block of a pack that is read in blocks; waits for it. */
  readBlock(source: number, block: number, blockBytes: number): Uint8Array
}

const heldBlocksMaxBytes = 32 * 1024 * 1024

/** Opens packs that other threads share, and keeps what was made of their indexes. */
export class SharedPacks {
  readonly #files: ThreadFiles
  readonly #opened = new LRUCache<number, PackFile>({ max: 4_096 })
  readonly #blocks = new LRUCache<string, Uint8Array>({
    maxSize: heldBlocksMaxBytes,
    sizeCalculation: (block) => block.length,
  })

  constructor(files: ThreadFiles) {
    this.#files = files
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
    return new PackFile(index, this.#bytesOf(pack), pack.isThin, sideCar)
  }

  #bytesOf({ bytes, sizeBytes }: SharedPack): PackBytes {
    if ('memory' in bytes) return bytesInMemory(bytes.memory)
    if ('descriptor' in bytes) return this.#files.openFile(bytes.descriptor, sizeBytes)
    const { blocks } = bytes
    return new BlockBytes(sizeBytes, blocks, (block) => this.#block(blocks, block))
  }

  #block({ number, blockBytes }: BlockSource, block: number): Uint8Array {
    const name = `${number} ${block}`
    const held = this.#blocks.get(name)
    if (held !== undefined) return held
    const read = this.#files.readBlock(number, block, blockBytes)
    this.#blocks.set(name, read)
    return read
  }
}
