/**
 * Opened packs, shared by all requests of this process: index in memory, bytes by a local descriptor. A pack never
 * changes, so it is cached by its id; whoever reads holds a share, and the descriptor closes with the last one.
 */
import type { Bucket } from '../bucket/bucket.ts'
import { packKey } from '../bucket/keys.ts'
import type { InlinePack, PackRow } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import type { Disk, LocalFile } from '../disk/disk.ts'
import { localFileFrom } from '../disk/local-file.ts'
import type { PackBytes } from '../git/pack/pack-bytes.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { bytesInMemory } from '../git/pack/shared-pack.ts'
import { openIndexFile } from './index-file.ts'
import type { PackBlocks } from './pack-blocks.ts'

/** A local file, or what is read from the bucket by ranges. */
type StoredBytes = PackBytes & Pick<LocalFile, 'readViews' | 'close'>

export interface OpenedPack {
  file: PackFile
  /** The pack's bytes, for reading them as they lie; undefined where they are in memory. */
  bytes: StoredBytes | undefined
  /** What it takes of the local cache while it is open: nothing where the bucket itself is a local file. */
  cachedBytes: number
  /** Of a pack on its way into the local cache: settles when it has come. Shares taken then are of the local file. */
  arrival: Promise<void> | undefined
  /** Another share of it, to be released by itself. Only while this one is held. */
  share(): OpenedPack
  release(): void
}

/** A pack that lies in memory as a whole: nothing closes with its last share. */
export function packInMemory(file: PackFile): OpenedPack {
  const pack: OpenedPack = {
    file,
    bytes: undefined,
    cachedBytes: 0,
    arrival: undefined,
    share: () => pack,
    release: () => {},
  }
  return pack
}

/** A small pack's bytes as they came with its row, or with its push: its index is checked then. */
export function inlinePackFile(
  { pack, index }: InlinePack,
  { isThin, indexBytes }: Pick<PackRow, 'isThin' | 'indexBytes'>,
  { isChecked = false }: { isChecked?: boolean } = {},
): PackFile {
  const opened = openIndexFile(index, indexBytes, { isChecked })
  return new PackFile(opened.index, bytesInMemory(pack), isThin, opened.sideCar)
}

export interface PackFiles {
  /** A share of the pack. The caller releases it, once. Throws BytesMissing where the bucket has lost it. */
  open(repoId: RepoId, row: PackRow, options: OpenOptions): Promise<OpenedPack>
}

export interface OpenOptions {
  /** It is too large for the local disk: to be read by ranges, where the bucket is no local file itself. */
  isRanged: boolean
}

interface OpenPack {
  file: PackFile
  bytes: StoredBytes
  cachedBytes: number
  arrival: Promise<void> | undefined
  close(): void
}

/** Bytes that can be read, or will come while they are read. */
interface OpenBytes {
  bytes: StoredBytes
  cachedBytes: number
  /** The local file in which they will lie. */
  arriving?: { local: LocalFile; whole: Promise<void> }
}

// What comes within some milliseconds is waited for: from threads, a file is read faster than what arrives.
const arrivingMinBytes = 16 * 1024 * 1024

interface SharedPack {
  opening: Promise<OpenPack>
  shares: number
}

/** Packs of `bucket`: read where they lie if that is a local file, through the cache of `disk` if not. */
export function createPackFiles(bucket: Bucket, disk: Disk, blocks: PackBlocks): PackFiles {
  const shared = new Map<string, SharedPack>()

  async function openBytes(key: string): Promise<OpenBytes & { bytes: LocalFile }> {
    const handle = await bucket.openFile(key)
    if (handle !== undefined) return { bytes: localFileFrom(handle, (await handle.stat()).size), cachedBytes: 0 }
    const bytes = await disk.open(key, () => bucket.get(key, undefined, { reusesChunks: true }))
    return { bytes, cachedBytes: bytes.sizeBytes }
  }

  async function openPackBytes(key: string, sizeBytes: number, { isRanged }: OpenOptions): Promise<OpenBytes> {
    if (!isRanged && sizeBytes < arrivingMinBytes) return await openBytes(key)
    const handle = await bucket.openFile(key)
    if (handle !== undefined) return { bytes: localFileFrom(handle, sizeBytes), cachedBytes: 0 }
    if (isRanged) return { bytes: blocks.open(key, sizeBytes), cachedBytes: 0 }
    const local = await disk.openArriving(key, sizeBytes, (range) => bucket.get(key, range, { reusesChunks: true }))
    if (local.arrival === undefined) return { bytes: local, cachedBytes: sizeBytes }
    const { whole } = local.arrival
    return { bytes: blocks.openArriving(local, local.arrival), cachedBytes: sizeBytes, arriving: { local, whole } }
  }

  /** Index and bytes are asked for together, since both have a long way. */
  async function openPack(repoId: RepoId, row: PackRow, options: OpenOptions): Promise<OpenPack> {
    const [opened, index] = await Promise.allSettled([
      openPackBytes(packKey(repoId, row.id, 'pack'), row.packBytes, options),
      openBytes(packKey(repoId, row.id, 'idx')).then(({ bytes }) => openIndexFile(readWhole(bytes), row.indexBytes)),
    ])
    if (opened.status === 'rejected') throw opened.reason
    const { bytes, cachedBytes, arriving } = opened.value
    try {
      if (index.status === 'rejected') throw index.reason
      const { index: ids, sideCar } = index.value
      const fileOver = (over: StoredBytes) => new PackFile(ids, over, row.isThin, sideCar)
      // Without one, walks read the pack at every step.
      if (sideCar === undefined) await arriving?.whole
      const pack: OpenPack = {
        file: fileOver(bytes),
        bytes,
        cachedBytes,
        arrival: undefined,
        close: () => bytes.close(),
      }
      pack.arrival = arriving?.whole.then(() => {
        pack.bytes = arriving.local
        pack.file = fileOver(arriving.local)
        pack.arrival = undefined
      })
      return pack
    } catch (error) {
      bytes.close()
      throw error
    }
  }

  function begin(repoId: RepoId, row: PackRow, options: OpenOptions): SharedPack {
    const pack: SharedPack = { opening: openPack(repoId, row, options), shares: 0 }
    shared.set(row.id, pack)
    const forget = () => {
      if (shared.get(row.id) === pack) shared.delete(row.id)
    }
    // Who asks for it next begins again; those who have it open read what has come.
    pack.opening.then(({ arrival }) => arrival?.catch(forget), forget)
    return pack
  }

  function shareOf(packId: string, pack: SharedPack, opened: OpenPack): OpenedPack {
    return {
      file: opened.file,
      bytes: opened.bytes,
      cachedBytes: opened.cachedBytes,
      arrival: opened.arrival,
      share() {
        pack.shares++
        return shareOf(packId, pack, opened)
      },
      release: () => void dropShare(packId, pack),
    }
  }

  async function dropShare(packId: string, pack: SharedPack): Promise<void> {
    pack.shares--
    if (pack.shares > 0) return
    if (shared.get(packId) === pack) shared.delete(packId)
    const { close } = await pack.opening
    close()
  }

  return {
    async open(repoId, row, options) {
      const pack = shared.get(row.id) ?? begin(repoId, row, options)
      pack.shares++
      return shareOf(row.id, pack, await pack.opening)
    },
  }
}

function readWhole(file: LocalFile): Buffer {
  try {
    // Worker threads read it as well.
    const bytes = Buffer.from(new SharedArrayBuffer(file.sizeBytes))
    file.readSync(bytes, 0, bytes.length, 0)
    return bytes
  } finally {
    file.close()
  }
}
