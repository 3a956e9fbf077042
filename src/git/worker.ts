/**
 * What of Git's work runs in worker threads (`work.ts`): whatever takes the processor for more than a few milliseconds.
 * The files are opened by who starts the thread, since this room knows none.
 */
import { LRUCache } from 'lru-cache'
import type { Task, TaskContext } from '../work.ts'
import type { FsckSettings } from './fsck/settings.ts'
import { checkObjects } from './fsck/stored-objects.ts'
import { chainDepthMax, writeClonePack } from './pack/clone-order.ts'
import { completeReceived } from './pack/complete-side-car.ts'
import { BlobNotes, type BlobsToNote, type NotedBlobs } from './pack/noted-blobs.ts'
import type { PackSpool } from './pack/pack-input.ts'
import { type ClosedGround, selectClosure, selectMembers } from './pack/pack-members.ts'
import { withChecksums } from './pack/pack-sections.ts'
import { PackSet, type PackSetLimits } from './pack/pack-set.ts'
import type { ReceivePhase, ReportProgress } from './pack/receive-pace.ts'
import { type ReceivedPack, type ReceivePackLimits, receivePackFile } from './pack/receive-pack-file.ts'
import { type SharedPack, toSharedMemory } from './pack/shared-pack.ts'
import { SharedPacks, type ThreadFiles } from './pack/shared-packs.ts'
import { writePack } from './pack/writer.ts'
import { type PackOrder, selectOrdered, writeOrdered } from './protocol/pack-order.ts'
import type { Ordinal } from './repository.ts'

export interface GitTasks {
  /** `receivePackFile` over the bytes sent along; its progress comes as notes. */
  receivePack: Task<ReceivePackInput, ReceivePackOutput>
  /** Writes the pack in the side-band. */
  sendPack: Task<{ objects: SharedObjects; order: PackOrder }, void>
  /** `checkObjects`; its faults come as notes. Resolves to how many objects there are. */
  checkObjects: Task<{ objects: SharedObjects; isDeep: boolean }, number>
  selectClosure: Task<
    { objects: SharedObjects; tips: readonly Ordinal[]; grounds: readonly ClosedGround[] },
    Uint32Array
  >
  selectMembers: Task<{ objects: SharedObjects; numbers: readonly number[]; except?: Uint32Array }, Uint32Array>
  /**
   * Writes a pack of these objects to a spool, and receives it from there as if it came from outside. It leans on nothing
   * but its ground, and without one is self-contained.
   */
  rewritePack: Task<RewritePackInput, ReceivedPack>
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

export interface RewritePackInput {
  objects: SharedObjects
  ordinals: Uint32Array
  /** In the order of a clone pack; otherwise as they lie. */
  isForClone: boolean
  /** Deltas may lean on the first so many packs, which stay as long as what is written. */
  groundPackCount: number
  /** Of an empty spool. */
  spoolDescriptor: number
  limits: ReceivePackLimits
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
export interface WorkerFiles extends ThreadFiles {
  openSpool(descriptor: number): PackSpool & { finish(): void }
}

// A person reads them; each costs a message.
const noteIntervalMs = 100
const openedSetsMax = 16

/** The tasks, for one thread. */
export function gitTasks(files: WorkerFiles): GitTasks {
  const packs = new SharedPacks(files)
  // What walks have looked up is kept with the opened set.
  const sets = new LRUCache<string, PackSet>({ max: openedSetsMax })
  const openObjects = (shared: SharedObjects) => {
    const opened = shared.packs.map((pack) => packs.open(pack))
    const name = opened.map((pack) => pack.cacheNumber).join()
    const set = sets.get(name) ?? new PackSet(opened, shared.limits)
    sets.set(name, set)
    return set
  }
  return {
    async sendPack({ objects: shared, order }, { write, signal }) {
      const objects = openObjects(shared)
      for await (const chunk of streamOrdered(objects, order, signal)) await write(chunk)
    },
    checkObjects: async ({ objects, isDeep }, { tell }) =>
      await checkObjects(openObjects(objects), { isDeep, onFault: tell }),
    selectClosure: async ({ objects, tips, grounds }) =>
      shareable(await selectClosure(openObjects(objects), tips, grounds)),
    selectMembers: async ({ objects, numbers, except }) =>
      shareable(await selectMembers(openObjects(objects), numbers, except)),
    async rewritePack({ objects: shared, ordinals, isForClone, groundPackCount, spoolDescriptor, limits }, { signal }) {
      const spool = files.openSpool(spoolDescriptor)
      const objects = openObjects(shared)
      const ground = openObjects({ ...shared, packs: shared.packs.slice(0, groundPackCount) })
      // Ordinals are numbered pack by pack.
      const isClientKnown = (ordinal: Ordinal) => ordinal < ground.ordinalCount
      const pack = isForClone
        ? writeClonePack(objects, ordinals)
        : writePack(objects, ordinals, { ofsDelta: true, deltaDepthMax: chainDepthMax, isClientKnown })
      // With nothing else to lean on, its chains must end in itself or there.
      const received = await receivePackFile(pack, { spool, existing: ground, limits, signal })
      const complete = await completeReceived(received, {
        bytes: spool.file,
        surroundings: objects,
        isBounded: false,
        signal,
      })
      spool.finish()
      const { sections } = complete
      return toShared(
        isForClone && sections ? { ...complete, sections: withChecksums(sections, spool.file) } : complete,
      )
    },
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
      const complete = await completeReceived(received, {
        bytes: spool.file,
        surroundings: objects,
        isBounded: true,
        signal,
      })
      spool.finish()
      return { received: toShared(complete), noted: notes.noted }
    },
  }
}

/** So that it is handed over and not copied. */
function shareable(ordinals: Uint32Array): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(ordinals.byteLength))
  shared.set(ordinals)
  return shared
}

async function* streamOrdered(objects: PackSet, order: PackOrder, signal: AbortSignal) {
  const selection = yield* selectOrdered(objects, order, signal)
  yield* writeOrdered(objects, order, selection, signal)
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
  const { checksum, index, sideCar, outsideIds, rootIds, sections } = received
  for (const section of [sections?.history, sections?.trees]) {
    if (section?.checksum !== undefined) section.checksum = asBuffer(section.checksum)
  }
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
