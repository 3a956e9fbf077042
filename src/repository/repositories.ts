/** Opens hosted repositories: refs from the database, packs from the bucket, both shared between requests. */
import { LRUCache } from 'lru-cache'
import type { RepoId } from '../database/queryable.ts'
import type { SpoolFile } from '../disk/disk.ts'
import { isHoldfastError } from '../errors.ts'
import type { ObjectCheckOptions } from '../git/fsck/stored-objects.ts'
import type { PackSender } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import { streamWhileBytesAbsent, whileBytesAbsent } from '../git/pack/absent-bytes.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import type { ObjectDatabase, RefSnapshot } from '../git/repository.ts'
import { type CompactionResult, compactPacks } from './compact.ts'
import type { Ground } from './ground.ts'
import { type BlockQuestion, PackBlocks } from './pack-blocks.ts'
import { createPackCatalog } from './pack-catalog.ts'
import { createPackFiles } from './pack-files.ts'
import { type QuarantinedPack, type QuarantineOptions, receiveIntoQuarantine } from './quarantine.ts'
import { createRefReader } from './refs.ts'
import { packSender } from './send.ts'
import { isRanged, shareObjects } from './shared-objects.ts'

/** A repository's row as it was read at the start of the request: its versions say what is fresh enough. */
export interface RepositoryVersion {
  id: RepoId
  refsVersion: string
  packsVersion: string
}

export interface Repositories {
  /** HEAD and all refs, no older than `repo`. */
  refs(repo: RepositoryVersion): Promise<RefSnapshot>
  /**
   * Opens the objects until `using` has settled. Whatever `refs` named before is in them. `using` must have no effects: it
   * begins again where bytes of a large pack had to be brought first. A stream does so before its first chunk.
   */
  withObjects<T>(repo: RepositoryVersion, using: (objects: ObjectDatabase) => Promise<T>): Promise<T>
  /** As `withObjects`, until the stream has ended or was left. */
  streamObjects(repo: RepositoryVersion, using: (objects: ObjectDatabase) => ByteStream): ByteStream
  /** Sends packs of opened objects from worker threads. */
  packSender(objects: ObjectDatabase): PackSender | undefined
  /** Checks every object, and that what it names is there. Returns how many there are. */
  checkObjects(repo: RepositoryVersion, options: ObjectCheckOptions): Promise<number>
  /** Receives a pack out of sight. Throws PackInvalid; then nothing is left. */
  receivePack(
    repo: RepositoryVersion,
    pack: ByteStream,
    options: Omit<QuarantineOptions, 'existing' | 'onArrival'>,
  ): Promise<QuarantinedPack>
  /** Merges small packs, or makes the clone pack anew, of what `isCloned` refs lead to, beside running pushes and clones. */
  compact(repoId: RepoId, isCloned?: (refName: string) => boolean): Promise<CompactionResult>
  /** An empty file on the local disk, for an answer that is kept; its room is that of pushes on their way in. */
  createSpool(): SpoolFile
  /** Room on the local disk, where pushes gather before they are stored. Rejects where nothing can be written. */
  freeDiskBytes(): Promise<number>
  /** How many tasks run in worker threads. */
  runningTasks(): number
  close(): void
}

// More repositories than requests can be under way for.
const promisesMax = 100_000

/** All hosted repositories over one ground. Close it before the database and the disk. */
export function createRepositories(ground: Ground): Repositories {
  const { database, bucket, disk, limits } = ground
  const refReader = createRefReader(database)
  const blocks = new PackBlocks(bucket, disk, limits)
  ground.workers.answerWith((question, into) => blocks.answer(question as BlockQuestion, into))
  const catalog = createPackCatalog(database, createPackFiles(bucket, disk, blocks), {
    limits,
    cachedPacksMaxBytes: disk.cacheMaxBytes,
  })

  // What `refs` named must be found afterwards: the least version of the packs that a snapshot given out rests on.
  const promisedPacks = new LRUCache<RepoId, number>({ max: promisesMax })

  async function pin(repo: RepositoryVersion) {
    return catalog.pin(repo.id, Math.max(Number(repo.packsVersion), promisedPacks.get(repo.id) ?? 0))
  }

  return {
    async refs(repo) {
      const { snapshot, packsVersion } = await refReader.read(repo)
      promisedPacks.set(repo.id, Math.max(packsVersion, promisedPacks.get(repo.id) ?? 0))
      return snapshot
    },
    async withObjects(repo, using) {
      const packs = await pin(repo)
      try {
        return await whileBytesAbsent(() => using(packs.objects))
      } finally {
        packs.release()
      }
    },
    async *streamObjects(repo, using) {
      const packs = await pin(repo)
      let isLeft = true
      try {
        yield* streamWhileBytesAbsent(() => using(packs.objects))
        isLeft = false
      } catch (error) {
        // What is thrown where the client has left, and what breaks; not what a client is told.
        isLeft = !isHoldfastError(error) || error.code === 'InputTruncated'
        throw error
      } finally {
        if (isLeft) packs.leave()
        packs.release()
      }
    },
    async checkObjects(repo, { isDeep, onFault }) {
      const { objects, release } = await pin(repo)
      try {
        const options = { onNote: (fault: unknown) => onFault(fault as string), mayStandStill: isRanged(objects) }
        return await ground.workers.run('checkObjects', { objects: shareObjects(objects, limits), isDeep }, options)
      } finally {
        release()
      }
    },
    packSender: (objects) => (objects instanceof PackSet ? packSender(ground, objects) : undefined),
    async receivePack(repo, pack, options) {
      const existing = await pin(repo)
      const onArrival: QuarantineOptions['onArrival'] = (version, arrived) => catalog.add(repo.id, version, arrived)
      return await receiveIntoQuarantine(ground, repo.id, pack, { ...options, existing, onArrival })
    },
    async compact(repoId, isCloned = () => true) {
      // In this order: what the refs name lies in packs that are listed later.
      const { snapshot } = await refReader.readNewest(repoId)
      const refs = { ...snapshot, refs: snapshot.refs.filter(({ name }) => isCloned(name)) }
      return await compactPacks(ground, { repoId, refs, packs: await catalog.pinNewest(repoId) })
    },
    createSpool: () => disk.createSpool(),
    freeDiskBytes: () => disk.freeBytes(),
    runningTasks: () => ground.workers.runningTasks(),
    close: () => catalog.close(),
  }
}
