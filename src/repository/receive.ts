/** Receives a pack into a spool: a small one here, since a thread's turn would cost more; a larger one in a worker thread. */
import type { SpoolFile } from '../disk/disk.ts'
import type { FsckSettings } from '../git/fsck/settings.ts'
import type { ByteStream } from '../git/object-id.ts'
import { completeReceived } from '../git/pack/complete-side-car.ts'
import { packHeaderBytes } from '../git/pack/format.ts'
import { BlobNotes, type BlobsToNote, type NotedBlobs } from '../git/pack/noted-blobs.ts'
import type { ReportProgress } from '../git/pack/receive-pace.ts'
import { type ReceivedPack, receivePackFile } from '../git/pack/receive-pack-file.ts'
import { fromThread, type ReceiveNote } from '../git/worker.ts'
import type { Ground } from './ground.ts'
import type { PinnedPacks } from './opened-sets.ts'
import { receiveLimits } from './pack-limits.ts'
import { isRanged, shareObjects } from './shared-objects.ts'

export interface ReceiveOptions {
  /** Empty. */
  spool: SpoolFile
  existing: Pick<PinnedPacks, 'objects'>
  toNote?: BlobsToNote
  /** What becomes of malformed objects. */
  fsck?: FsckSettings
  onProgress?: ReportProgress
  signal?: AbortSignal
}

export interface Reception {
  received: ReceivedPack
  noted: NotedBlobs
}

const nothingToNote: BlobsToNote = {
  smallPrefix: new Uint8Array(0),
  smallMax: 0,
  largeAboveBytes: Number.POSITIVE_INFINITY,
  largeMax: 0,
}

/** Throws what `receivePackFile` throws. When it settles, nothing uses the spool or the existing packs any more. */
export async function receivePack(ground: Ground, input: ByteStream, options: ReceiveOptions): Promise<Reception> {
  const head = await readHead(input, ground.limits.receivedHereMaxBytes, options.signal)
  const mayStandStill = isRanged(options.existing.objects)
  // Here it could not wait for a delta's base, and a pack comes only once.
  if (head.isWhole && !mayStandStill) return await receiveHere(ground, head.bytes, options)
  const leave = await ground.receiveMemory.take(head.objectCount, options.signal)
  try {
    return await receiveThere(ground, head.bytes, { ...options, mayStandStill })
  } finally {
    leave()
  }
}

async function receiveThere(
  ground: Ground,
  input: ByteStream,
  options: ReceiveOptions & { mayStandStill: boolean },
): Promise<Reception> {
  const { spool, existing, toNote = nothingToNote, fsck, onProgress, signal, mayStandStill } = options
  const reception = await ground.workers.run(
    'receivePack',
    {
      spoolDescriptor: spool.file.descriptor,
      existing: shareObjects(existing.objects, ground.limits),
      limits: receiveLimits(ground.limits),
      toNote,
      fsck,
    },
    {
      bytes: reserving(input, spool),
      onNote: (note) => {
        const { phase, done, total } = note as ReceiveNote
        onProgress?.(phase, done, total)
      },
      signal,
      mayStandStill,
    },
  )
  const received = fromThread(reception.received)
  spool.adopt(received.sizeBytes)
  return { received, noted: reception.noted }
}

async function receiveHere(ground: Ground, input: ByteStream, options: ReceiveOptions): Promise<Reception> {
  const { existing, toNote = nothingToNote, ...rest } = options
  const notes = new BlobNotes(toNote)
  const received = await receivePackFile(input, {
    ...rest,
    existing: existing.objects,
    limits: receiveLimits(ground.limits),
    visit: notes.visit,
  })
  const complete = await completeReceived(received, {
    bytes: options.spool.file,
    surroundings: existing.objects,
    isBounded: true,
    signal: options.signal,
  })
  return { received: complete, noted: notes.noted }
}

/** Reads until more than `maxBytes` have come, or all. What was read stands in front of the rest. */
async function readHead(input: ByteStream, maxBytes: number, signal: AbortSignal | undefined) {
  const source = input[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  let isWhole = false
  while (sizeBytes <= maxBytes && !isWhole) {
    const { value, done } = await source.next()
    if (done) isWhole = true
    else {
      chunks.push(value)
      sizeBytes += value.length
    }
    signal?.throwIfAborted()
  }
  return { isWhole, objectCount: announcedCount(chunks), bytes: joined(chunks, source) }
}

/** How many objects the pack's header promises: it may hold no more. */
function announcedCount(chunks: readonly Uint8Array[]): number {
  const header = Buffer.concat(chunks.map((chunk) => chunk.subarray(0, packHeaderBytes))).subarray(0, packHeaderBytes)
  return header.length < packHeaderBytes ? 0 : header.readUInt32BE(8)
}

async function* joined(chunks: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}

/** Takes the room in the spool's budget before the bytes go to the thread that writes them. */
async function* reserving(input: ByteStream, spool: SpoolFile): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    spool.reserve(chunk.length)
    yield chunk
  }
}
