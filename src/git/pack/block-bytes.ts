/** A pack's bytes in blocks of one size, which come one by one from wherever the pack lies. */
import type { BlockSource, PackBytes } from './pack-bytes.ts'

export class BlockBytes implements PackBytes {
  readonly sizeBytes: number
  readonly blocks: BlockSource
  readonly #readBlock: (block: number) => Uint8Array

  /** `readBlock` gives a block whole, the last one as long as it is, or throws. */
  constructor(sizeBytes: number, blocks: BlockSource, readBlock: (block: number) => Uint8Array) {
    this.sizeBytes = sizeBytes
    this.blocks = blocks
    this.#readBlock = readBlock
  }

  readSync(into: Uint8Array, offset: number, length: number, position: number): number {
    const { blockBytes } = this.blocks
    const end = Math.min(position + length, this.sizeBytes)
    for (let at = position; at < end; ) {
      const block = Math.floor(at / blockBytes)
      const from = at - block * blockBytes
      const part = this.#readBlock(block).subarray(from, from + end - at)
      into.set(part, offset + at - position)
      at += part.length
    }
    return Math.max(0, end - position)
  }
}
