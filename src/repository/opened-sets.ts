/**
 * Opened pack sets, the newest of each repository: in memory up to a bounded size, and open for as long as somebody reads them.
 */
import { LRUCache } from 'lru-cache'
import type { Limits } from '../config.ts'
import type { PackRow } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import { clonePackOf } from './clone-pack.ts'
import type { OpenedPack } from './pack-files.ts'
import { packSetLimits } from './pack-limits.ts'

/** A pack set that stays readable, whatever compaction does, until it is released. */
export interface PinnedPacks {
  readonly rows: readonly PackRow[]
  readonly objects: PackSet
  release(): void
  /** Before `release`, by somebody who gave up: what still comes and nobody else waits for comes no further. */
  leave(): void
}

export interface OpenedSet {
  repoId: RepoId
  packsVersion: number
  rows: readonly PackRow[]
  objects: PackSet
  packs: readonly OpenedPack[]
  /** One of them while the set is kept here. */
  pins: number
}

/** A pack and its row; packs are numbered in the order of a list of them. */
export interface NumberedPack {
  row: PackRow
  pack: OpenedPack
}

// Indexes are held in memory, 28 bytes an object, and side-cars, about as much; small packs are, too.
const cachedIndexesMaxBytes = 512 * 1024 * 1024
// Each holds a descriptor, and a process may have as few as some ten thousand for everything.
const cachedPacksMax = 4_096
// A set's size is its part of memory, descriptors and disk together, in whole numbers.
const cacheShares = 2 ** 30

export interface OpenedSetsOptions {
  limits: Limits
  /** What packs that are kept open may take of the local cache, which cannot evict them. */
  cachedPacksMaxBytes: number
}

export class OpenedSets {
  readonly #limits: Limits
  readonly #kept: LRUCache<RepoId, OpenedSet>

  constructor({ limits, cachedPacksMaxBytes }: OpenedSetsOptions) {
    this.#limits = limits
    this.#kept = new LRUCache({
      maxSize: cacheShares,
      sizeCalculation: (set) => cacheShare(set, cachedPacksMaxBytes),
      dispose: (set) => unpin(set),
    })
  }

  get(repoId: RepoId): OpenedSet | undefined {
    return this.#kept.get(repoId)
  }

  /** Takes over the packs. */
  keep(repoId: RepoId, packsVersion: number, packs: readonly NumberedPack[]): OpenedSet {
    const objects = new PackSet(
      packs.map(({ pack }) => pack.file),
      packSetLimits(this.#limits),
      packs[0]?.row.tier === 'clone' ? clonePackOf(packs[0].row, packs[0].pack) : undefined,
    )
    const [rows, opened] = [packs.map(({ row }) => row), packs.map(({ pack }) => pack)]
    const set: OpenedSet = { repoId, packsVersion, objects, rows, packs: opened, pins: 1 }
    this.#kept.set(repoId, set)
    return set
  }

  /** Keeps them unless newer ones are known, as of a push that came while packs were listed; the newest set. */
  keepNewest(repoId: RepoId, packsVersion: number, packs: readonly NumberedPack[]): OpenedSet {
    for (const { pack } of packs) this.#awaitArrival(repoId, pack)
    const kept = this.#kept.get(repoId)
    if (kept === undefined || kept.packsVersion < packsVersion) return this.keep(repoId, packsVersion, packs)
    for (const { pack } of packs) pack.release()
    return kept
  }

  pin(set: OpenedSet): PinnedPacks {
    set.pins++
    let isReleased = false
    return {
      rows: set.rows,
      objects: set.objects,
      leave: () => {
        const isArriving = set.packs.some(({ arrival }) => arrival !== undefined)
        // One pin is that of being kept, one the caller's.
        if (isArriving && set.pins === 2 && this.#kept.peek(set.repoId) === set) this.#kept.delete(set.repoId)
      },
      release() {
        if (isReleased) return
        isReleased = true
        unpin(set)
      },
    }
  }

  clear(): void {
    this.#kept.clear()
  }

  /** Once the pack has come it is read as the local file that it is; if it will not come, who asks next begins again. */
  #awaitArrival(repoId: RepoId, { file, arrival }: OpenedPack): void {
    const settled = (use: (set: OpenedSet) => void) => () => {
      const set = this.#kept.get(repoId)
      if (set?.packs.some((pack) => pack.file === file)) use(set)
    }
    arrival?.then(
      settled((set) => this.keep(repoId, set.packsVersion, sharesOf(set))),
      settled(() => this.#kept.delete(repoId)),
    )
  }
}

/** A share of each of its packs. */
export function sharesOf({ rows, packs }: OpenedSet): NumberedPack[] {
  return rows.map((row, number) => ({ row, pack: packs[number].share() }))
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

function unpin(set: OpenedSet): void {
  set.pins--
  if (set.pins === 0) for (const pack of set.packs) pack.release()
}
