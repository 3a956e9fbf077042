/**
 * Packs that are read in blocks: those that are too large for the local disk, by ranges from the bucket, in blocks that the
 * local cache keeps like whole packs; and those that are on their way into the cache. Reading is synchronous: a worker
 * thread stands still until the main thread has brought a block (`answer`); the main thread itself never waits, but meets
 * `BytesAbsent` and begins again once the block is there.
 */
import { LRUCache } from 'lru-cache'
import type { Bucket } from '../bucket/bucket.ts'
import type { Limits } from '../config.ts'
import type { ArrivingFile, Disk, LocalFile } from '../disk/disk.ts'
import { BytesAbsent } from '../git/pack/absent-bytes.ts'
import { BlockBytes } from '../git/pack/block-bytes.ts'
import type { PackBytes } from '../git/pack/pack-bytes.ts'
import { RangeCursors } from './range-cursors.ts'

/** The bytes of a pack that come from the bucket. */
export interface RangedPack extends PackBytes {
  /** As of a local file, as they come from the bucket: for sending the pack as it lies. */
  readViews(views: readonly Uint8Array[], position: number, signal?: AbortSignal): Promise<void>
  close(): void
}

interface OpenBlocks {
  sizeBytes: number
  /** Puts a block into `into`, which is as long. */
  read(block: number, into: Uint8Array): Promise<void>
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
    let lastBlock = -1
    const number = this.#add({
      sizeBytes,
      read: async (block, into) => {
        await this.#read(key, sizeBytes, block, into)
        // Read on ahead where blocks are asked for one after the other.
        if (block === lastBlock + 1) this.#bringAhead(key, sizeBytes, block)
        lastBlock = block
      },
    })
    const bytes = new BlockBytes(sizeBytes, { number, blockBytes: this.#blockBytes }, (block) =>
      this.#heldBlock(number, block),
    )
    const cursors = new RangeCursors((start) =>
      this.#bucket.get(key, { start, end: sizeBytes - 1 }, { reusesChunks: true }),
    )
    return Object.assign(bytes, {
      prepare: (position: number, length: number) => this.#hold(number, position, length),
      readViews: (views: readonly Uint8Array[], position: number, signal?: AbortSignal) =>
        cursors.readViews(views, position, signal),
      close: () => {
        this.#open.delete(number)
        cursors.close()
      },
    })
  }

  /** A pack on its way into the local cache: readable from the front. Takes over the file. */
  openArriving(file: LocalFile, arrival: NonNullable<ArrivingFile['arrival']>): RangedPack {
    const { sizeBytes } = file
    const blockBytes = this.#blockBytes
    const number = this.#add({ sizeBytes, read: (block, into) => file.readViews([into], block * blockBytes) })
    return {
      sizeBytes,
      blocks: { number, blockBytes },
      prepare: (position, length) => arrival.until(position + length),
      readViews: (views, position, signal) => file.readViews(views, position, signal),
      readSync(into, offset, length, position) {
        const end = Math.min(position + length, sizeBytes)
        // Some more than is asked for: whoever meets this begins again.
        if (end > arrival.arrivedBytes)
          throw new BytesAbsent(() => arrival.until(Math.min(end + blockBytes, sizeBytes)))
        return file.readSync(into, offset, length, position)
      },
      close: () => {
        this.#open.delete(number)
        file.close()
      },
    }
  }

  /** Puts a block into `into`; its length. */
  async answer({ source, block }: BlockQuestion, into: Uint8Array): Promise<number> {
    const open = this.#open.get(source)
    if (open === undefined) throw new Error('This pack was closed.')
    const length = Math.min(this.#blockBytes, open.sizeBytes - block * this.#blockBytes)
    await open.read(block, into.subarray(0, length))
    return length
  }

  #add(open: OpenBlocks): number {
    this.#open.set(++this.#opened, open)
    return this.#opened
  }

  #heldBlock(source: number, block: number): Uint8Array {
    const held = this.#held.get(nameOf(source, block))
    if (held !== undefined) return held
    throw new BytesAbsent(() => this.#holdBlock(source, block))
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

  async #read(key: string, sizeBytes: number, block: number, into: Uint8Array): Promise<void> {
    const file = await this.#bring(key, sizeBytes, block)
    try {
      await file.readViews([into], 0)
    } finally {
      file.close()
    }
  }

  /** The block in the local cache; one flight however many ask. */
  #bring(key: string, sizeBytes: number, block: number): Promise<LocalFile> {
    const start = block * this.#blockBytes
    const end = Math.min(start + this.#blockBytes, sizeBytes) - 1
    return this.#disk.open(`${key} ${start}-${end}`, () =>
      this.#bucket.get(key, { start, end }, { reusesChunks: true }),
    )
  }

  #bringAhead(key: string, sizeBytes: number, block: number): void {
    for (let next = block + 1; next <= block + this.#readAhead; next++) {
      if (next * this.#blockBytes >= sizeBytes) return
      // Whoever asks for it will meet the failure.
      this.#bring(key, sizeBytes, next).then(
        (file) => file.close(),
        () => {},
      )
    }
  }
}

const nameOf = (source: number, block: number) => `${source} ${block}`
