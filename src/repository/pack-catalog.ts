/** A repository's packs as they are now: opened pack sets by catalogue version, pinned while somebody reads them. */
import { LRUCache } from 'lru-cache'
import type { Limits } from '../config.ts'
import { listPacks, type PackRow } from '../database/packs.ts'
import type { Database, RepoId } from '../database/queryable.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import { clonePackOf } from './clone-pack.ts'
import { inlinePackFile, type OpenedPack, type PackFiles, packInMemory } from './pack-files.ts'
import { packSetLimits } from './pack-limits.ts'

/** A pack set that stays readable, whatever compaction does, until it is released. */
export interface PinnedPacks {
  readonly rows: readonly PackRow[]
  readonly objects: PackSet
  release(): void
}

export interface PackCatalog {
  /** The packs of at least `packsVersion`. Throws RepoNotFound once the repository is deleted. */
  pin(repoId: RepoId, packsVersion: number): Promise<PinnedPacks>
  /** The packs as they are listed now. */
  pinNewest(repoId: RepoId): Promise<PinnedPacks>
  /** Takes over a share of the one pack that raised the packs' version to `packsVersion`, which spares listing them again. */
  add(repoId: RepoId, packsVersion: number, arrived: { row: PackRow; pack: OpenedPack }): void
  close(): void
}

interface OpenedSet {
  packsVersion: number
  rows: readonly PackRow[]
  objects: PackSet
  packs: OpenedPack[]
  pins: number
}

// Indexes are held in memory, 28 bytes an object, and side-cars, about as much; small packs are, too.
const cachedIndexesMaxBytes = 512 * 1024 * 1024
// Each holds a descriptor, and a process may have as few as some ten thousand for everything.
const cachedPacksMax = 4_096
// A set's size is its part of memory, descriptors and disk together, in whole numbers.
const cacheShares = 2 ** 30
// One that others began, one of our own, and one against bad luck; more would not help (a database that was set back).
const flightsMax = 3

export interface PackCatalogOptions {
  limits: Limits
  /** What packs that are kept open may take of the local cache, which cannot evict them. */
  cachedPacksMaxBytes: number
}

/** A catalogue over `database`, in memory up to a bounded size of indexes. */
export function createPackCatalog(
  database: Database,
  packFiles: PackFiles,
  { limits, cachedPacksMaxBytes }: PackCatalogOptions,
): PackCatalog {
  const cache = new LRUCache<RepoId, OpenedSet>({
    maxSize: cacheShares,
    sizeCalculation: (set) => cacheShare(set, cachedPacksMaxBytes),
    dispose: (set) => unpin(set),
  })
  const flights = new Map<RepoId, Promise<OpenedSet>>()

  function toSet(packsVersion: number, packs: readonly NumberedPack[]): OpenedSet {
    const objects = new PackSet(
      packs.map(({ pack }) => pack.file),
      packSetLimits(limits),
      packs[0]?.row.tier === 'clone' ? clonePackOf(packs[0].row, packs[0].pack) : undefined,
    )
    return { packsVersion, objects, pins: 1, rows: packs.map(({ row }) => row), packs: packs.map(({ pack }) => pack) }
  }

  /** Lists the packs and opens those that are not open yet. */
  async function openSet(repoId: RepoId): Promise<OpenedSet> {
    const before = cache.get(repoId)
    const held = before === undefined ? undefined : pinned(before)
    try {
      const open = new Map(before?.rows.map((row, number) => [row.id, before.packs[number]]))
      const inlineIds = before?.rows.filter((row) => row.isInline).map((row) => row.id) ?? []
      const listed = await listPacks(database, repoId, inlineIds)
      if (listed === undefined) throw new HoldfastError('RepoNotFound')
      const rangedIds = tooLargeToCache(listed.packs, cachedPacksMaxBytes)
      const packs = await openAll(inNumberOrder(listed.packs), async (row) => {
        const inline = listed.inline.get(row.id)
        if (inline !== undefined) return packInMemory(inlinePackFile(inline, row))
        return open.get(row.id)?.share() ?? (await packFiles.open(repoId, row, { isRanged: rangedIds.has(row.id) }))
      })
      return keep(repoId, toSet(Number(listed.packsVersion), packs))
    } finally {
      held?.release()
    }
  }

  /** The newest set is kept: while packs were listed here, a push may have added one to what was known before. */
  function keep(repoId: RepoId, set: OpenedSet): OpenedSet {
    const kept = cache.get(repoId)
    if (kept === undefined || kept.packsVersion < set.packsVersion) {
      cache.set(repoId, set)
      return set
    }
    unpin(set)
    return kept
  }

  /** One flight per repository; a pack that vanished between listing and opening was compacted away: list again, once. */
  function fly(repoId: RepoId): Promise<OpenedSet> {
    const flying = flights.get(repoId)
    if (flying !== undefined) return flying
    const flight = openSet(repoId)
      .catch((error: unknown) => {
        if (isHoldfastError(error, 'BytesMissing')) return openSet(repoId)
        throw error
      })
      .finally(() => flights.delete(repoId))
    flights.set(repoId, flight)
    return flight
  }

  /** A flight that others began may have listed too early, and a set may be evicted as soon as it is there: fly again. */
  async function pin(repoId: RepoId, packsVersion: number): Promise<PinnedPacks> {
    const isUsable = (set: OpenedSet | undefined): set is OpenedSet =>
      set !== undefined && set.packsVersion >= packsVersion && set.pins > 0
    let set = cache.get(repoId)
    for (let flight = 0; flight < flightsMax && !isUsable(set); flight++) set = await fly(repoId)
    if (isUsable(set)) return pinned(set)
    throw new HoldfastError('Unavailable', { message: 'The packs of this repository could not be opened. Try again.' })
  }

  return {
    pin,
    async pinNewest(repoId) {
      const listed = await listPacks(database, repoId)
      if (listed === undefined) throw new HoldfastError('RepoNotFound')
      return pin(repoId, Number(listed.packsVersion))
    },
    add(repoId, packsVersion, { row, pack }) {
      const before = cache.get(repoId)
      if (before === undefined || before.packsVersion !== packsVersion - 1) return pack.release()
      const packs = before.rows.map((known, number) => ({ row: known, pack: before.packs[number].share() }))
      const rows = inNumberOrder([...before.rows, row])
      packs.splice(rows.indexOf(row), 0, { row, pack })
      cache.set(repoId, toSet(packsVersion, packs))
    },
    close: () => cache.clear(),
  }
}

/** A set's part of memory, descriptors and disk. Capped, so that a set larger than the whole cache is still kept, alone. */
function cacheShare({ rows, packs }: OpenedSet, cachedPacksMaxBytes: number): number {
  const indexBytes = rows.reduce((sum, row) => sum + row.indexBytes + (row.isInline ? row.packBytes : 0), 1024)
  const memoryBytes = packs.reduce((sum, { file }) => sum + (file.sideCar?.bytes.length ?? 0), indexBytes)
  const cachedBytes = packs.reduce((sum, pack) => sum + pack.cachedBytes, 0)
  const part =
    memoryBytes / cachedIndexesMaxBytes + packs.length / cachedPacksMax + cachedBytes / (cachedPacksMaxBytes + 1)
  return Math.ceil(Math.min(1, part) * cacheShares)
}

function pinned(set: OpenedSet): PinnedPacks {
  set.pins++
  let isReleased = false
  return {
    rows: set.rows,
    objects: set.objects,
    release() {
      if (isReleased) return
      isReleased = true
      unpin(set)
    },
  }
}

function unpin(set: OpenedSet): void {
  set.pins--
  if (set.pins === 0) for (const pack of set.packs) pack.release()
}

/**
 * The numbering that PackSet and ClonePack ask for: the clone pack and the rest, other self-contained packs, merged ones
 * that lean on the first two alone, and thin ones as they became visible, which may lean on all before them.
 */
export function inNumberOrder<P extends Pick<PackRow, 'tier' | 'isThin' | 'sequence'>>(rows: readonly P[]): P[] {
  const rank = ({ tier, isThin }: P) => {
    if (tier === 'clone' || tier === 'rest') return tier === 'clone' ? 0 : 1
    if (!isThin) return 2
    return tier === 'merged' ? 3 : 4
  }
  return [...rows].sort((a, b) => rank(a) - rank(b) || Number(a.sequence) - Number(b.sequence))
}

/** The largest packs, until the others take at most half of the cache: it is there for all repositories. */
function tooLargeToCache(rows: readonly PackRow[], cacheMaxBytes: number): Set<string> {
  const stored = rows.filter((row) => !row.isInline).sort((a, b) => b.packBytes - a.packBytes)
  let leftBytes = stored.reduce((sum, row) => sum + row.packBytes, 0)
  const large = new Set<string>()
  for (const { id, packBytes } of stored) {
    if (leftBytes <= cacheMaxBytes / 2) break
    large.add(id)
    leftBytes -= packBytes
  }
  return large
}

interface NumberedPack {
  row: PackRow
  pack: OpenedPack
}

async function openAll(rows: readonly PackRow[], open: (row: PackRow) => Promise<OpenedPack>): Promise<NumberedPack[]> {
  const settled = await Promise.allSettled(rows.map(async (row) => ({ row, pack: await open(row) })))
  const opened = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed === undefined) return opened
  for (const { pack } of opened) pack.release()
  throw failed.reason
}
