/** Ref snapshots: read once per version of a repository's refs, then shared (design.md §7, refs). */
import { LRUCache } from 'lru-cache'
import type { Database, RepoId } from '../database/queryable.ts'
import { type RefSnapshotRow, readRefSnapshot } from '../database/refs.ts'
import { HoldfastError } from '../errors.ts'
import type { RefSnapshot } from '../git/repository.ts'

/** A snapshot and the versions it was read at: all that it names lies in packs of `packsVersion` or later. */
export interface VersionedRefs {
  refsVersion: number
  packsVersion: number
  snapshot: RefSnapshot
}

export interface RefReader {
  /** The refs as they were when the caller's repository row was read, or later. Throws RepoNotFound once it is deleted. */
  read(repo: { id: RepoId; refsVersion: string }): Promise<VersionedRefs>
  /** The refs as they are now. Throws RepoNotFound. */
  readNewest(repoId: RepoId): Promise<VersionedRefs>
}

// A ref costs about 200 bytes in memory: 400 MB at most.
const cachedRefsMax = 2_000_000

/** A reader that keeps the snapshots read last, up to a bounded number of refs. */
export function createRefReader(database: Database): RefReader {
  const cache = new LRUCache<RepoId, VersionedRefs>({
    maxSize: cachedRefsMax,
    sizeCalculation: ({ snapshot }) => snapshot.refs.length + 10,
  })
  const flights = new Map<RepoId, Promise<VersionedRefs>>()

  async function readNow(repoId: RepoId): Promise<VersionedRefs> {
    const row = await readRefSnapshot(database, repoId)
    if (row === undefined) throw new HoldfastError('RepoNotFound')
    const read = { refsVersion: Number(row.version), packsVersion: Number(row.packsVersion), snapshot: withHead(row) }
    cache.set(repoId, read)
    return read
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

function withHead({ headTarget, refs }: RefSnapshotRow): RefSnapshot {
  const head = refs.find((ref) => ref.name === headTarget)
  return { headTarget, headId: head?.id, refs }
}
