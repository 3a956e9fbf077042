/**
 * Ref snapshots: read once per version of a repository's refs, then shared (design.md §7, refs). A snapshot that has
 * become old catches up by the log of what moved since.
 */
import { LRUCache } from 'lru-cache'
import type { Database, RepoId } from '../database/queryable.ts'
import { readRefChanges, readRefSnapshot } from '../database/refs.ts'
import { HoldfastError } from '../errors.ts'
import { RefList, refsPerPage } from '../git/ref-list.ts'
import type { RefSnapshot } from '../git/repository.ts'

/** A snapshot and the versions it was read at: all that it names lies in packs of `packsVersion` or later. */
export interface VersionedRefs {
  refsVersion: number
  packsVersion: number
  snapshot: RefSnapshot
  /** By `performance.now()`. */
  readAtMs: number
}

export interface RefReader {
  /** The refs as they were when the caller's repository row was read, or later. Throws RepoNotFound once it is deleted. */
  read(repo: { id: RepoId; refsVersion: string }): Promise<VersionedRefs>
  /** The refs as they are now. Throws RepoNotFound. */
  readNewest(repoId: RepoId): Promise<VersionedRefs>
}

// 2,000,000 refs of usual names.
const cachedMaxBytes = 128 * 1024 * 1024
/** Reading all is not slower than catching up with more. */
const changesMax = 2_000
/** Far below the retention of the log. */
const caughtUpWithinMs = 3_600_000

/** A reader that keeps the snapshots read last, up to a bounded number of refs. */
export function createRefReader(database: Database): RefReader {
  const cache = new LRUCache<RepoId, VersionedRefs>({
    maxSize: cachedMaxBytes,
    sizeCalculation: ({ snapshot }) => snapshot.refs.sizeBytes + 1_000,
  })
  const flights = new Map<RepoId, Promise<VersionedRefs>>()

  async function readNow(repoId: RepoId): Promise<VersionedRefs> {
    const readAtMs = performance.now()
    const row = (await catchUp(repoId, readAtMs)) ?? (await readAll(repoId))
    if (row === undefined) throw new HoldfastError('RepoNotFound')
    const { version, packsVersion, headTarget, refs } = row
    const snapshot = { headTarget, headId: refs.get(headTarget)?.id, refs }
    const read = { refsVersion: Number(version), packsVersion: Number(packsVersion), snapshot, readAtMs }
    cache.set(repoId, read)
    return read
  }

  /** Undefined where nothing is known that is young enough, or too much has moved. */
  async function catchUp(repoId: RepoId, nowMs: number) {
    const known = cache.get(repoId)
    if (known === undefined || nowMs - known.readAtMs > caughtUpWithinMs) return undefined
    const changed = await readRefChanges(database, repoId, { version: known.refsVersion, changesMax })
    return changed && { ...changed, refs: known.snapshot.refs.changed(changed.changes) }
  }

  async function readAll(repoId: RepoId) {
    const row = await readRefSnapshot(database, repoId, refsPerPage)
    return row && { ...row, refs: RefList.fromColumns(row.pages) }
  }

  /** After a push to a repository of 100,000 refs everybody asks at once: one reads, 0.2 s, the others wait for it. */
  function fly(repoId: RepoId): Promise<VersionedRefs> {
    const flight = flights.get(repoId) ?? readNow(repoId).finally(() => flights.delete(repoId))
    flights.set(repoId, flight)
    return flight
  }

  return {
    readNewest: readNow,
    async read(repo) {
      const isFresh = (read: VersionedRefs | undefined): read is VersionedRefs =>
        read !== undefined && read.refsVersion >= Number(repo.refsVersion)
      const cached = cache.get(repo.id)
      if (isFresh(cached)) return cached
      // A flight that others began may have read too early; one that begins now cannot have.
      const joined = await flights.get(repo.id)
      return isFresh(joined) ? joined : await fly(repo.id)
    },
  }
}
