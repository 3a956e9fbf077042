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
  /** What was last read of this repository, if it is still held. */
  seen(repoId: RepoId): VersionedRefs | undefined
}

// A ref costs about 200 bytes in memory: 400 MB at most.
const cachedRefsMax = 2_000_000

export function createRefReader(database: Database): RefReader {
  const cache = new LRUCache<RepoId, VersionedRefs>({
    maxSize: cachedRefsMax,
    sizeCalculation: ({ snapshot }) => snapshot.refs.length + 10,
  })
  return {
    seen: (repoId) => cache.peek(repoId),
    async read(repo) {
      const cached = cache.get(repo.id)
      if (cached !== undefined && cached.refsVersion >= Number(repo.refsVersion)) return cached
      const row = await readRefSnapshot(database, repo.id)
      if (row === undefined) throw new HoldfastError('RepoNotFound')
      const read = { refsVersion: Number(row.version), packsVersion: Number(row.packsVersion), snapshot: withHead(row) }
      cache.set(repo.id, read)
      return read
    },
  }
}

function withHead({ headTarget, refs }: RefSnapshotRow): RefSnapshot {
  const head = refs.find((ref) => ref.name === headTarget)
  return { headTarget, headId: head?.id, refs }
}
