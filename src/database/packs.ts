/** The catalogue of packs: a row makes a pack visible. Every change of a repository's set raises its packs_version. */
import { HoldfastError } from '../errors.ts'
import { doomBytes } from './doomed-bytes.ts'
import type { Queryable, RepoId } from './queryable.ts'

/** Where a pack comes from (migrations/0005_clone_packs.sql). */
export type PackTier = 'received' | 'merged' | 'clone' | 'rest'

/** Up to the end of each section, commits and tags, trees, blobs: how many objects there are, and where the end is. */
export interface SectionEnds {
  sectionCounts: number[] | null
  sectionEnds: number[] | null
}

export interface NewPack extends SectionEnds {
  id: string
  repoId: RepoId
  tier: PackTier
  isThin: boolean
  /** The pack's trailer, 20 bytes. */
  checksum: Buffer
  objectCount: number
  packBytes: number
  indexBytes: number
  /** Ids, 20 bytes each, that the pack's objects refer to and that are not in it. */
  outsideIds: Buffer
  /** Ids, 20 bytes each, of its objects that no other of them refers to: known of packs that lead to nothing outside. */
  rootIds: Buffer | null
  /** Of a clone pack: the ids, 20 bytes each, of the tips that it is the closure of. */
  tipIds: Buffer | null
}

/** A pack as it is listed: without ids that only pushes, compaction and collection ask for. */
export interface PackRow extends Omit<NewPack, 'repoId' | 'outsideIds' | 'rootIds'> {
  /** Orders a repository's packs as they became visible. */
  sequence: string
}

export interface PackList {
  packsVersion: string
  /** In the order in which they became visible. */
  packs: PackRow[]
}

/** A repository's packs and their version, in one statement; undefined once the repository is deleted. */
export async function listPacks(db: Queryable, repoId: RepoId): Promise<PackList | undefined> {
  const rows = await db.query<PackRow & { packsVersion: string }>(
    `select r.packs_version as "packsVersion", p.id, p.sequence, p.tier, p.is_thin as "isThin", p.checksum, p.object_count::float8 as "objectCount", p.pack_bytes::float8 as "packBytes",
       p.index_bytes::float8 as "indexBytes", p.section_counts::float8[] as "sectionCounts",
       p.section_ends::float8[] as "sectionEnds", p.tip_ids as "tipIds"
     from repos r left join packs p on p.repo_id = r.id
     where r.id = $1
     order by p.sequence`,
    [repoId],
    'list-packs',
  )
  if (rows.length === 0) return undefined
  const [{ packsVersion }] = rows
  const packs = rows.filter(({ id }) => id !== null).map(({ packsVersion: _, ...pack }) => pack)
  return { packsVersion, packs }
}

/** The ids of all packs of a repository. */
export async function listPackIds(db: Queryable, repoId: RepoId): Promise<string[]> {
  const rows = await db.query<{ packId: string }>('select id as "packId" from packs where repo_id = $1', [repoId])
  return rows.map(({ packId }) => packId)
}

/**
 * Makes a pack visible when `tx` commits. Its bytes must be durable. Locks the repository's row, so that packs become
 * visible in the order of their sequence. Throws RepoNotFound where the repository is gone.
 */
export async function insertPack(tx: Queryable, pack: NewPack): Promise<void> {
  await raisePacksVersion(tx, pack.repoId)
  await insertPackRow(tx, pack)
}

async function raisePacksVersion(tx: Queryable, repoId: RepoId): Promise<void> {
  const rows = await tx.query(
    'update repos set packs_version = packs_version + 1 where id = $1 returning id',
    [repoId],
    'raise-packs-version',
  )
  if (rows.length === 0) throw new HoldfastError('RepoNotFound')
}

async function insertPackRow(tx: Queryable, pack: NewPack): Promise<void> {
  await tx.query(
    `insert into packs (id, repo_id, is_thin, checksum, object_count, pack_bytes, index_bytes, outside_ids, tier,
       section_counts, section_ends, root_ids, tip_ids)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      pack.id,
      pack.repoId,
      pack.isThin,
      pack.checksum,
      pack.objectCount,
      pack.packBytes,
      pack.indexBytes,
      pack.outsideIds,
      pack.tier,
      pack.sectionCounts,
      pack.sectionEnds,
      pack.rootIds,
      pack.tipIds,
    ],
    'insert-pack',
  )
}

export interface PackReplacement {
  repoId: RepoId
  removedPackIds: readonly string[]
  added: readonly NewPack[]
  /** The keys of the removed packs' bytes. */
  doomedKeys: readonly string[]
  graceSeconds: number
}

/**
 * Swaps packs for others that hold their objects, when `tx` commits; the old bytes are doomed. Throws RepoNotFound where the
 * repository is gone, and Conflict where a removed pack is: another compaction was quicker.
 */
export async function replacePacks(tx: Queryable, replacement: PackReplacement): Promise<void> {
  const { repoId, removedPackIds, added, doomedKeys, graceSeconds } = replacement
  await raisePacksVersion(tx, repoId)
  const removed = await tx.query('delete from packs where repo_id = $1 and id = any($2::uuid[]) returning id', [
    repoId,
    removedPackIds,
  ])
  if (removed.length !== removedPackIds.length) {
    throw quicker()
  }
  for (const pack of added) await insertPackRow(tx, pack)
  await doomBytes(tx, doomedKeys, graceSeconds)
}

/** A pack that leads to nothing outside itself, with the ids of its objects that no other of them refers to. */
export interface ClosedPack {
  id: string
  rootIds: Buffer
}

/** The closed packs of a repository, the largest first. */
export async function listClosedPacks(db: Queryable, repoId: RepoId): Promise<ClosedPack[]> {
  return await db.query<ClosedPack>(
    `select id, root_ids as "rootIds" from packs where repo_id = $1 and root_ids is not null
     order by object_count desc, sequence`,
    [repoId],
  )
}

function quicker(): HoldfastError {
  return new HoldfastError('Conflict', {
    message: 'A pack that was to be replaced is gone: another compaction was quicker.',
  })
}
