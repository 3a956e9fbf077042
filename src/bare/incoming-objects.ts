/**
 * A pushed pack on its way into a repository on disk. It waits in `objects/tmp_objdir-incoming-…`, as git's own does, where
 * nobody looks for objects; then its files move to where they belong. A crash leaves a folder that `git prune` removes, and
 * `git gc` once it is two weeks old (gc.pruneExpire).
 */
import { fstatSync, readSync } from 'node:fs'
import { type FileHandle, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { completeFindings, explainFindings } from '../git/fsck/complete-findings.ts'
import type { FsckSettings } from '../git/fsck/settings.ts'
import { type ByteStream, objectIdAt } from '../git/object-id.ts'
import { type ReceivedPack, type ReceivePackFileOptions, receivePackFile } from '../git/pack/receive-pack-file.ts'
import type { Limits } from '../limits.ts'
import type { BareObjects } from './bare-objects.ts'
import { completePack } from './complete-pack.ts'
import { explodePack } from './explode-pack.ts'
import { migrateObjects } from './migrate-objects.ts'
import { writeAt } from './write-at.ts'

export interface IncomingObjects {
  readonly received: ReceivedPack
  /** The folder in which the new objects wait, for hooks. */
  readonly quarantinePath: string
  /** The repository's objects and the new ones. Valid until `close`. */
  readonly objects: BareObjects
  /** Moves the new objects into the repository, durably. A gc spares a pack among them until `close`. */
  migrate(): Promise<void>
  /** Removes what was not migrated, and lets the gc have what was. */
  close(): Promise<void>
}

export interface ReceiveObjectsOptions extends Pick<ReceivePackFileOptions, 'onProgress' | 'signal' | 'fsck'> {
  existing: BareObjects
  limits: Limits
  /** A pack of fewer objects becomes loose objects. */
  unpackLimit: number
  /** Takes what there is to say of objects that are taken. */
  print(text: string): void
}

/** Throws PackInvalid and what reading the stream throws; then nothing is left. */
export async function receiveObjects(
  objectsPath: string,
  pack: ByteStream,
  options: ReceiveObjectsOptions,
): Promise<IncomingObjects> {
  const quarantinePath = await mkdtemp(join(objectsPath, 'tmp_objdir-incoming-'))
  let objects: BareObjects | undefined
  try {
    await mkdir(join(quarantinePath, 'pack'))
    const received = await receiveInto(quarantinePath, pack, options)
    objects = options.existing.with(quarantinePath)
    if (options.fsck !== undefined) await tellFindings(objects, received, { ...options, fsck: options.fsck })
    let releaseKept = async () => {}
    return {
      received,
      quarantinePath,
      get objects() {
        // Opened anew once they have moved, which few ask for.
        objects ??= options.existing.reopen()
        return objects
      },
      async migrate() {
        objects?.close()
        objects = undefined
        releaseKept = await migrateObjects(quarantinePath, objectsPath)
      },
      async close() {
        objects?.close()
        await releaseKept()
        await remove(quarantinePath)
      },
    }
  } catch (error) {
    objects?.close()
    await remove(quarantinePath)
    throw error
  }
}

/** Some files can be looked at only when all objects can be read. Throws ObjectInvalid. */
async function tellFindings(
  objects: BareObjects,
  { findings }: ReceivedPack,
  { fsck, limits, print }: ReceiveObjectsOptions & { fsck: FsckSettings },
): Promise<void> {
  const heldMaxBytes = limits.gitObjectHeldMaxBytes
  const found = await completeFindings(objects, findings, { settings: fsck, heldMaxBytes })
  if (found.warningCount > 0) print(explainFindings(found))
}

async function receiveInto(folder: string, input: ByteStream, options: ReceiveObjectsOptions): Promise<ReceivedPack> {
  const path = join(folder, 'pack', 'tmp_pack')
  const file = await open(path, 'wx+', 0o444)
  try {
    const spool = packSpool(file)
    const { existing, limits, fsck, onProgress, signal, unpackLimit } = options
    const received = await receivePackFile(input, { spool, existing, limits, fsck, onProgress, signal })
    const stored = { file, bytes: spool.file, index: received.index }
    const index = received.isThin ? await completePack(stored, existing) : received.index
    if (received.objectCount < unpackLimit) {
      await explodePack(folder, { ...stored, index }, received.index)
    } else if (received.objectCount > 0) {
      await keepPack(folder, file, index)
    }
    await rm(path, { force: true })
    return received
  } finally {
    await file.close()
  }
}

/** Names the pack by its checksum, as git does, beside its index and the mark that keeps it from a gc. */
async function keepPack(folder: string, pack: FileHandle, index: Buffer): Promise<void> {
  await pack.sync()
  const checksum = objectIdAt(index, index.length - 40)
  const name = join(folder, 'pack', `pack-${checksum}`)
  await writeFile(`${name}.idx`, index, { mode: 0o444, flush: true })
  await writeFile(`${name}.keep`, `receive-pack ${process.pid} on ${hostname()}\n`, { mode: 0o600 })
  await rename(join(folder, 'pack', 'tmp_pack'), `${name}.pack`)
}

function packSpool(file: FileHandle) {
  let position = 0
  return {
    async write(chunk: Uint8Array): Promise<void> {
      await writeAt(file, chunk, position)
      position += chunk.length
    },
    file: {
      get sizeBytes() {
        return fstatSync(file.fd).size
      },
      readSync: (into: Uint8Array, offset: number, length: number, at: number) =>
        readSync(file.fd, into, offset, length, at),
    },
  }
}

/** Never throws: what stays is left to `git prune`. */
async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => {})
}
