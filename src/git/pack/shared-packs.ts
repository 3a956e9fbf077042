/** Packs that other threads have opened, as one thread reads them. */
import { LRUCache } from 'lru-cache'
import { type PackBytes, PackFile } from './pack-file.ts'
import { PackIndex } from './pack-index.ts'
import { bytesInMemory, type SharedPack } from './shared-pack.ts'
import { SideCar } from './side-car.ts'

/** Opens packs that other threads share, and keeps what was made of their indexes. */
export class SharedPacks {
  readonly #openFile: (descriptor: number, sizeBytes: number) => PackBytes
  readonly #opened = new LRUCache<number, PackFile>({ max: 4_096 })

  /** `openFile` gives the bytes of a file that another thread has opened. */
  constructor(openFile: (descriptor: number, sizeBytes: number) => PackBytes) {
    this.#openFile = openFile
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
    return 'memory' in bytes ? bytesInMemory(bytes.memory) : this.#openFile(bytes.descriptor, sizeBytes)
  }
}
