/**
 * Packs that are too large for the local disk: read from the bucket by ranges, in blocks that the local cache keeps like
 * whole packs. Reading is synchronous: a worker thread stands still until the main thread has brought a block
 * (`answer`); the main thread itself never waits, but meets `BlockAbsent` and begins again once the block is there.
 */
import { LRUCache } from 'lru-cache'
import type { Bucket } from '../bucket/bucket.ts'
import type { Limits } from '../config.ts'
import type { Disk } from '../disk/disk.ts'
import { BlockBytes } from '../git/pack/block-bytes.ts'
import type { PackBytes } from '../git/pack/pack-bytes.ts'
import { RangeCursors } from './range-cursors.ts'

/** A block is not at hand. Whoever may wait calls `load` and reads again from the beginning. */
export class BlockAbsent extends Error {
  readonly load: () => Promise<void>

  constructor(load: () => Promise<void>) {
    super('A block of a large pack has not been read yet.')
    this.load = load
  }
}

/** The bytes of a pack in the bucket. */
export interface RangedPack extends PackBytes {
  /** As of a local file, straight from the bucket: for sending the pack as it lies. */
  readViews(views: readonly Uint8Array[], position: number): Promise<void>
  close(): void
}

interface OpenBlocks {
  key: string
  sizeBytes: number
  lastBlock: number
}

/** What a thread asks for. */
export interface BlockQuestion {
  source: number
  block: number
}

const readAheadMax = 4

/** Opens packs for reading in blocks. One for all of a process. */
export class PackBlocks {
  readonly #bucket: Bucket
  readonly #disk: Disk
  readonly #blockBytes: number
  readonly #readAhead: number
  readonly #held: LRUCache<string, Uint8Array>
  readonly #open = new Map<number, OpenBlocks>()
  #opened = 0

  constructor(bucket: Bucket, disk: Disk, { packBlockBytes, packBlocksHeldMaxBytes }: Limits) {
    this.#bucket = bucket
    this.#disk = disk
    this.#blockBytes = packBlockBytes
    // What is read ahead must not drive out what is being read.
    this.#readAhead = Math.min(readAheadMax, Math.floor(disk.cacheMaxBytes / packBlockBytes / 8))
    this.#held = new LRUCache({ maxSize: packBlocksHeldMaxBytes, sizeCalculation: (block) => block.length })
  }

  /** The pack under `key`. The caller closes it. */
  open(key: string, sizeBytes: number): RangedPack {
    const number = ++this.#opened
    this.#open.set(number, { key, sizeBytes, lastBlock: -1 })
    const bytes = new BlockBytes(sizeBytes, { number, blockBytes: this.#blockBytes }, (block) =>
      this.#heldBlock(number, block),
    )
    const cursors = new RangeCursors((start) => this.#bucket.get(key, { start, end: sizeBytes - 1 }))
    return Object.assign(bytes, {
      prepare: (position: number, length: number) => this.#hold(number, position, length),
      readViews: (views: readonly Uint8Array[], position: number) => cursors.readViews(views, position),
      close: () => {
        this.#open.delete(number)
        cursors.close()
      },
    })
  }

  /** Puts a block into `into`; its length. Reads on ahead where blocks are asked for one after the other. */
  async answer({ source, block }: BlockQuestion, into: Uint8Array): Promise<number> {
    const open = this.#openOf(source)
    const length = Math.min(this.#blockBytes, open.sizeBytes - block * this.#blockBytes)
    await this.#read(open, block, into.subarray(0, length))
    if (block === open.lastBlock + 1) this.#bringAhead(open, block)
    open.lastBlock = block
    return length
  }

  #heldBlock(source: number, block: number): Uint8Array {
    const held = this.#held.get(nameOf(source, block))
    if (held !== undefined) return held
    throw new BlockAbsent(() => this.#holdBlock(source, block))
  }

  async #holdBlock(source: number, block: number): Promise<void> {
    const into = new Uint8Array(this.#blockBytes)
    const length = await this.answer({ source, block }, into)
    this.#held.set(nameOf(source, block), into.subarray(0, length))
  }

  async #hold(source: number, position: number, length: number): Promise<void> {
    const last = Math.floor((position + length - 1) / this.#blockBytes)
    for (let block = Math.floor(position / this.#blockBytes); block <= last; block++) {
      if (!this.#held.has(nameOf(source, block))) await this.#holdBlock(source, block)
    }
  }

  #openOf(source: number): OpenBlocks {
    const open = this.#open.get(source)
    if (open === undefined) throw new Error('This pack was closed.')
    return open
  }

  async #read(open: OpenBlocks, block: number, into: Uint8Array): Promise<void> {
    const file = await this.#bring(open, block)
    try {
      await file.readViews([into], 0)
    } finally {
      file.close()
    }
  }

  /** The block in the local cache; one flight however many ask. */
  #bring({ key, sizeBytes }: OpenBlocks, block: number) {
    const start = block * this.#blockBytes
    const end = Math.min(start + this.#blockBytes, sizeBytes) - 1
    return this.#disk.open(`${key} ${start}-${end}`, () => this.#bucket.get(key, { start, end }))
  }

  #bringAhead(open: OpenBlocks, block: number): void {
    for (let next = block + 1; next <= block + this.#readAhead; next++) {
      if (next * this.#blockBytes >= open.sizeBytes) return
      // Whoever asks for it will meet the failure.
      this.#bring(open, next).then(
        (file) => file.close(),
        () => {},
      )
    }
  }
}

const nameOf = (source: number, block: number) => `${source} ${block}`

// Each begins with a block more; objects that were read meanwhile are remembered.
const attemptsMax = 10_000

/** Runs `read` until all blocks that it needs are at hand: from the beginning each time, so it must have no effects. */
export async function whileBlocksAbsent<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof BlockAbsent) || attempt === attemptsMax) throw error
      await error.load()
    }
  }
}

/** The same for a stream, up to its first chunk. */
export async function* streamWhileBlocksAbsent(read: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { source, first } = await whileBlocksAbsent(async () => {
    const started = read()[Symbol.asyncIterator]()
    return { source: started, first: await started.next() }
  })
  try {
    for (let next = first; !next.done; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}
