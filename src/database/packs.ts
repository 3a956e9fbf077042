/** The catalogue of packs: a row makes a pack visible. Every change of a repository's set raises its packs_version. */
import { HoldfastError } from '../errors.ts'
import type { Queryable, RepoId } from './queryable.ts'

/** Where a pack comes from (migrations/0005_clone_packs.sql). */
export type PackTier = 'received' | 'merged' | 'clone' | 'rest'

/** Up to the end of each section, commits and tags, trees, blobs: how many objects there are, and where the end is. */
export interface SectionEnds {
  sectionCounts: number[] | null
  sectionEnds: number[] | null
  /** What would end the pack if it were cut behind the first section, and behind the second, 20 bytes each. */
  sectionChecksums: Buffer | null
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
  /** The bytes of a small pack, which then lie in the database; undefined where they lie in the bucket. */
  inline: InlinePack | undefined
}

export interface InlinePack {
  pack: Buffer
  index: Buffer
}

/** A pack as it is listed: without ids that only pushes, compaction and collection ask for. */
export interface PackRow extends Omit<NewPack, 'repoId' | 'outsideIds' | 'rootIds' | 'inline'> {
  isInline: boolean
  /** Orders a repository's packs as they became visible. */
  sequence: string
}

export interface PackList {
  packsVersion: string
  /** In the order in which they became visible. */
  packs: PackRow[]
  /** By pack id: the bytes of small packs. */
  inline: Map<string, InlinePack>
}

/**
 * A repository's packs and their version, in one statement; undefined once the repository is deleted. With the bytes of
 * those in the database that the caller does not hold yet; without any where it does not say what it holds.
 */
export async function listPacks(
  db: Queryable,
  repoId: RepoId,
  heldPackIds?: readonly string[],
): Promise<PackList | undefined> {
  const rows = await db.query<PackRow & { packsVersion: string; pack: Buffer | null; index: Buffer | null }>(
    `select r.packs_version as "packsVersion", p.id, p.sequence, p.tier, p.is_thin as "isThin", p.checksum,
       p.object_count::float8 as "objectCount", p.pack_bytes::float8 as "packBytes",
       p.index_bytes::float8 as "indexBytes", p.section_counts::float8[] as "sectionCounts",
       p.section_ends::float8[] as "sectionEnds",
       p.section_checksums as "sectionChecksums", p.tip_ids as "tipIds", p.is_inline as "isInline", i.pack, i.index
     from repos r
     left join packs p on p.repo_id = r.id
     left join lateral (
       select pack, index from inline_packs where p.is_inline and pack_id = p.id and p.id <> all ($2::uuid[]) offset 0
     ) i on true
     where r.id = $1
     order by p.sequence`,
    [repoId, heldPackIds ?? null],
    'list-packs',
  )
  if (rows.length === 0) return undefined
  const list: PackList = { packsVersion: rows[0].packsVersion, packs: [], inline: new Map() }
  for (const { packsVersion: _, pack, index, ...row } of rows) {
    if (row.id !== null) list.packs.push(row)
    if (pack !== null && index !== null) list.inline.set(row.id, { pack, index })
  }
  return list
}

/** The ids of all packs of a repository. */
export async function listPackIds(db: Queryable, repoId: RepoId): Promise<string[]> {
  const rows = await db.query<{ packId: string }>('select id as "packId" from packs where repo_id = $1', [repoId])
  return rows.map(({ packId }) => packId)
}

/** The arguments of the SQL function `insert_pack` behind the repository. */
export function packArguments(pack: NewPack): unknown[] {
  const { inline } = pack
  return [JSON.stringify(packColumns(pack)), inline?.pack ?? null, inline?.index ?? null]
}

/** As the columns are called. */
function packColumns(row: NewPack) {
  return {
    id: row.id,
    tier: row.tier,
    is_thin: row.isThin,
    checksum: bytesInJson(row.checksum),
    object_count: row.objectCount,
    pack_bytes: row.packBytes,
    index_bytes: row.indexBytes,
    outside_ids: bytesInJson(row.outsideIds),
    section_counts: row.sectionCounts,
    section_ends: row.sectionEnds,
    section_checksums: bytesInJson(row.sectionChecksums),
    root_ids: bytesInJson(row.rootIds),
    tip_ids: bytesInJson(row.tipIds),
  }
}

/** As PostgreSQL writes and reads bytea. */
function bytesInJson(bytes: Buffer | null): string | null {
  return bytes === null ? null : `\\x${bytes.toString('hex')}`
}

/** The ids of the packs of a repository that have a bundle. */
export async function listBundleIds(db: Queryable, repoId: RepoId): Promise<string[]> {
  const rows = await db.query<{ packId: string }>(
    'select b.pack_id as "packId" from bundles b join packs p on p.id = b.pack_id where p.repo_id = $1',
    [repoId],
  )
  return rows.map(({ packId }) => packId)
}

/** Whether the pack has a bundle. */
export async function hasBundle(db: Queryable, packId: string): Promise<boolean> {
  return (await db.query('select from bundles where pack_id = $1', [packId])).length > 0
}

/** A bundle in the bucket, beside the pack of that id. */
export interface Bundle {
  packId: string
  sizeBytes: number
}

export interface PackReplacement {
  repoId: RepoId
  removedPackIds: readonly string[]
  added: readonly NewPack[]
  /** The bundles of added packs. */
  bundles: readonly Bundle[]
  /** The keys of the removed packs' bytes. */
  doomedKeys: readonly string[]
  graceSeconds: number
}

/**
 * Swaps packs for others that hold their objects, in one statement; the old bytes are doomed. Throws RepoNotFound where the
 * repository is gone, and Conflict where a removed pack is: another compaction was quicker.
 */
export async function replacePacks(db: Queryable, replacement: PackReplacement): Promise<void> {
  const { repoId, removedPackIds, added, bundles, doomedKeys, graceSeconds } = replacement
  const [{ isDone }] = await db
    .query<{ isDone: boolean }>(
      'select replace_packs($1, $2, $3, $4, $5, $6) as "isDone"',
      [
        repoId,
        removedPackIds,
        JSON.stringify(added.map(packColumns)),
        JSON.stringify(bundles.map(({ packId, sizeBytes }) => ({ pack_id: packId, size_bytes: sizeBytes }))),
        doomedKeys,
        graceSeconds,
      ],
      'replace-packs',
    )
    .catch((error: unknown) => {
      throw (error as { code?: unknown }).code === packGone ? quicker() : error
    })
  if (!isDone) throw new HoldfastError('RepoNotFound')
}

/** The SQLSTATE with which replace_packs fails. */
const packGone = 'HF002'

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
