/**
 * What of Git's work runs in worker threads (`work.ts`): whatever takes the processor for more than a few milliseconds.
 * The files are opened by who starts the thread, since this room knows none.
 */
import type { Task, TaskContext } from '../work.ts'
import type { FsckSettings } from './fsck/settings.ts'
import { completeReceived } from './pack/complete-side-car.ts'
import { BlobNotes, type BlobsToNote, type NotedBlobs } from './pack/noted-blobs.ts'
import type { PackBytes } from './pack/pack-file.ts'
import type { PackSpool } from './pack/pack-input.ts'
import { PackSet, type PackSetLimits } from './pack/pack-set.ts'
import type { ReceivePhase, ReportProgress } from './pack/receive-pace.ts'
import { type ReceivedPack, type ReceivePackLimits, receivePackFile } from './pack/receive-pack-file.ts'
import { type SharedPack, toSharedMemory } from './pack/shared-pack.ts'
import { SharedPacks } from './pack/shared-packs.ts'

export interface GitTasks {
  /** `receivePackFile` over the bytes sent along; its progress comes as notes. */
  receivePack: Task<ReceivePackInput, ReceivePackOutput>
}

export interface SharedObjects {
  packs: SharedPack[]
  limits: PackSetLimits
}

export interface ReceivePackInput {
  /** Of an empty spool. */
  spoolDescriptor: number
  existing: SharedObjects
  limits: ReceivePackLimits
  toNote: BlobsToNote
  fsck: FsckSettings | undefined
}

export interface ReceivePackOutput {
  received: ReceivedPack
  noted: NotedBlobs
}

export interface ReceiveNote {
  phase: ReceivePhase
  done: number
  total: number
}

/** Opens what other threads have opened. */
export interface ThreadFiles {
  openFile(descriptor: number, sizeBytes: number): PackBytes
  openSpool(descriptor: number): PackSpool & { finish(): void }
}

// A person reads them; each costs a message.
const noteIntervalMs = 100

/** The tasks, for one thread. */
export function gitTasks(files: ThreadFiles): GitTasks {
  const packs = new SharedPacks((descriptor, sizeBytes) => files.openFile(descriptor, sizeBytes))
  const openObjects = (shared: SharedObjects) =>
    new PackSet(
      shared.packs.map((pack) => packs.open(pack)),
      shared.limits,
    )
  return {
    async receivePack({ spoolDescriptor, existing, limits, toNote, fsck }, context) {
      const spool = files.openSpool(spoolDescriptor)
      const notes = new BlobNotes(toNote)
      const objects = openObjects(existing)
      const { signal } = context
      const received = await receivePackFile(context.bytes, {
        spool,
        existing: objects,
        limits,
        fsck,
        onProgress: throttledNotes(context),
        signal,
        visit: notes.visit,
      })
      const complete = await completeReceived(received, { bytes: spool.file, existing: objects, signal })
      spool.finish()
      return { received: toShared(complete), noted: notes.noted }
    },
  }
}

/** The bulk of it in shared memory, so that it is handed over and not copied. */
function toShared(received: ReceivedPack): ReceivedPack {
  return {
    ...received,
    index: toSharedMemory(received.index),
    sideCar: toSharedMemory(received.sideCar),
    outsideIds: toSharedMemory(received.outsideIds),
  }
}

/** What arrives from a thread is bytes without Node's methods. */
export function fromThread(received: ReceivedPack): ReceivedPack {
  const { checksum, index, sideCar, outsideIds, rootIds } = received
  return {
    ...received,
    checksum: asBuffer(checksum),
    index: asBuffer(index),
    sideCar: asBuffer(sideCar),
    outsideIds: asBuffer(outsideIds),
    rootIds: rootIds === undefined ? undefined : asBuffer(rootIds),
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function throttledNotes({ tell }: TaskContext): ReportProgress {
  let nextAt = 0
  return (phase, done, total) => {
    const now = performance.now()
    if (now < nextAt && done < total) return
    nextAt = now + noteIntervalMs
    tell({ phase, done, total } satisfies ReceiveNote)
  }
}
