/** A repository's packs as they are now: listed and opened when they are asked for, by catalogue version. */
import { listPacks, type PackRow } from '../database/packs.ts'
import type { Database, RepoId } from '../database/queryable.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import {
  type NumberedPack,
  type OpenedSet,
  OpenedSets,
  type OpenedSetsOptions,
  type PinnedPacks,
  sharesOf,
} from './opened-sets.ts'
import { inlinePackFile, type OpenedPack, type PackFiles, packInMemory } from './pack-files.ts'

export interface PackCatalog {
  /** The packs of at least `packsVersion`. Throws RepoNotFound once the repository is deleted. */
  pin(repoId: RepoId, packsVersion: number): Promise<PinnedPacks>
  /** The packs as they are listed now. */
  pinNewest(repoId: RepoId): Promise<PinnedPacks>
  /** Takes over a share of the one pack that raised the packs' version to `packsVersion`, which spares listing them again. */
  add(repoId: RepoId, packsVersion: number, arrived: { row: PackRow; pack: OpenedPack }): void
  close(): void
}

// One that others began, one of our own, and one against bad luck; more would not help (a database that was set back).
const flightsMax = 3

/** A catalogue over `database`, in memory up to a bounded size of indexes. */
export function createPackCatalog(database: Database, packFiles: PackFiles, options: OpenedSetsOptions): PackCatalog {
  const sets = new OpenedSets(options)
  const flights = new Map<RepoId, Promise<OpenedSet>>()

  /** Lists the packs and opens those that are not open yet. */
  async function openSet(repoId: RepoId): Promise<OpenedSet> {
    const before = sets.get(repoId)
    const held = before === undefined ? undefined : sets.pin(before)
    try {
      const open = new Map(before?.rows.map((row, number) => [row.id, before.packs[number]]))
      const inlineIds = before?.rows.filter((row) => row.isInline).map((row) => row.id) ?? []
      const listed = await listPacks(database, repoId, inlineIds)
      if (listed === undefined) throw new HoldfastError('RepoNotFound')
      const rangedIds = tooLargeToCache(listed.packs, options.cachedPacksMaxBytes)
      const packs = await openAll(inNumberOrder(listed.packs), async (row) => {
        const inline = listed.inline.get(row.id)
        if (inline !== undefined) return packInMemory(inlinePackFile(inline, row))
        return open.get(row.id)?.share() ?? (await packFiles.open(repoId, row, { isRanged: rangedIds.has(row.id) }))
      })
      return sets.keepNewest(repoId, Number(listed.packsVersion), packs)
    } finally {
      held?.release()
    }
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
    let set = sets.get(repoId)
    for (let flight = 0; flight < flightsMax && !isUsable(set); flight++) set = await fly(repoId)
    if (isUsable(set)) return sets.pin(set)
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
      const before = sets.get(repoId)
      if (before === undefined || before.packsVersion !== packsVersion - 1) return pack.release()
      const packs = sharesOf(before)
      const rows = inNumberOrder([...before.rows, row])
      packs.splice(rows.indexOf(row), 0, { row, pack })
      sets.keep(repoId, packsVersion, packs)
    },
    close: () => sets.clear(),
  }
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

async function openAll(rows: readonly PackRow[], open: (row: PackRow) => Promise<OpenedPack>): Promise<NumberedPack[]> {
  const settled = await Promise.allSettled(rows.map(async (row) => ({ row, pack: await open(row) })))
  const opened = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed === undefined) return opened
  for (const { pack } of opened) pack.release()
  throw failed.reason
}
