/**
 * LFS objects (one row per content that the instance holds) and the grants that let a repository use them. An oid is the
 * 64 hex digits of the content's SHA-256. Sets, not loops: every function takes all its oids in one statement.
 */
import type { Queryable, RepoId, UserId } from './queryable.ts'

/** Whose eyes the statements look through: an administrator reads every repository, nobody signed in has no id. */
export interface LfsAsker {
  repoId: RepoId
  userId: UserId | undefined
  isAdmin: boolean
}

export interface LfsObjectRow {
  lfsOid: string
  sizeBytes: number
  key: string
  /** This repository may serve it. */
  isGranted: boolean
  /** The asker may let pointers to it into this repository: granted, uploaded here by them, or readable to them elsewhere. */
  isUsable: boolean
}

/** What a pointer says of its content. */
export interface LfsClaim {
  lfsOid: string
  sizeBytes: number
}

/** A claim that does not hold. */
export interface FalseLfsClaim extends LfsClaim {
  /** How large the content really is; undefined where there is none that the asker may know of. */
  heldBytes: number | undefined
}

/** What the instance holds of `oids`, and what of that the asker may know about. Absent oids have no row. */
export async function findLfsObjects(db: Queryable, asker: LfsAsker, oids: readonly string[]): Promise<LfsObjectRow[]> {
  const rows = await db.query<Omit<LfsObjectRow, 'sizeBytes'> & { sizeBytes: string }>(
    `select encode(o.oid, 'hex') as "lfsOid", o.size_bytes as "sizeBytes", o.key,
      exists (select from lfs_grants g where g.repo_id = $1 and g.oid = o.oid) as "isGranted",
      o.oid in (select usable_lfs_oids($1, $2, $3, $4)) as "isUsable"
    from lfs_objects o
    where o.oid = any ($4::bytea[])`,
    [asker.repoId, asker.userId, asker.isAdmin, oids.map(toBytes)],
  )
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }))
}

/**
 * Those of `claims` that the asker may not let into the repository, sorted, each once. The rows behind all others are
 * locked `for key share` until the transaction ends, so that no collection removes them meanwhile.
 */
export async function lockUsableLfsObjects(
  tx: Queryable,
  asker: LfsAsker,
  claims: readonly LfsClaim[],
): Promise<FalseLfsClaim[]> {
  const rows = await tx.query<{ lfsOid: string; sizeBytes: string; heldBytes: string | null }>(
    `select encode(oid, 'hex') as "lfsOid", size_bytes as "sizeBytes", held_bytes as "heldBytes"
    from lock_usable_lfs_objects($1, $2, $3, $4, $5)`,
    [
      asker.repoId,
      asker.userId,
      asker.isAdmin,
      claims.map(({ lfsOid }) => toBytes(lfsOid)),
      claims.map(({ sizeBytes }) => sizeBytes),
    ],
  )
  return rows.map(({ lfsOid, sizeBytes, heldBytes }) => ({
    lfsOid,
    sizeBytes: Number(sizeBytes),
    heldBytes: heldBytes === null ? undefined : Number(heldBytes),
  }))
}

/** Adds the objects that have no row yet; the first proof of a content names its key. */
export async function insertLfsObjects(tx: Queryable, proofs: readonly Omit<LfsProof, 'uploadId'>[]): Promise<void> {
  // Ordered, so that two servers that add the same oids wait for each other instead of deadlocking.
  await tx.query(
    `insert into lfs_objects (oid, size_bytes, key)
    select distinct on (hex) decode(hex, 'hex'), size_bytes, key
    from unnest($1::text[], $2::bigint[], $3::text[]) as proof (hex, size_bytes, key)
    order by hex
    on conflict (oid) do nothing`,
    [proofs.map((proof) => proof.lfsOid), proofs.map((proof) => proof.sizeBytes), proofs.map((proof) => proof.key)],
  )
}

/** Bytes whose size and SHA-256 were proven. */
export interface LfsProof {
  uploadId: string
  lfsOid: string
  sizeBytes: number
  key: string
}

/** Those of `keys` that no object's row names. */
export async function findUnnamedLfsKeys(tx: Queryable, keys: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ key: string }>(
    `select k.key from unnest($1::text[]) as k (key) where not exists (select from lfs_objects o where o.key = k.key)`,
    [keys],
  )
  return rows.map((row) => row.key)
}

/** Lets the repository serve the objects, all of which must exist. */
export async function insertLfsGrants(tx: Queryable, repoId: RepoId, oids: readonly string[]): Promise<void> {
  await tx.query(
    `insert into lfs_grants (repo_id, oid)
    select $1, decode(hex, 'hex') from (select distinct hex from unnest($2::text[]) as hex order by hex) as granted
    on conflict do nothing`,
    [repoId, oids],
  )
}

export interface LfsGrantRow {
  lfsOid: string
  sizeBytes: number
  grantedAt: Date
}

/** What the repository may serve, in the order of the oids, after `after`. */
export async function listLfsGrants(
  db: Queryable,
  repoId: RepoId,
  { after, rowsMax }: { after?: string; rowsMax?: number },
): Promise<LfsGrantRow[]> {
  const rows = await db.query<Omit<LfsGrantRow, 'sizeBytes'> & { sizeBytes: string }>(
    `select encode(g.oid, 'hex') as "lfsOid", o.size_bytes as "sizeBytes", g.granted_at as "grantedAt"
       from lfs_grants g
       join lfs_objects o on o.oid = g.oid
      where g.repo_id = $1 and g.oid > $2
      order by g.oid
      limit $3`,
    [repoId, toBytes(after ?? ''), rowsMax ?? null],
  )
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }))
}

/** Lets the repository no longer serve the objects. */
export async function deleteLfsGrants(tx: Queryable, repoId: RepoId, oids: readonly string[]): Promise<void> {
  await tx.query('delete from lfs_grants where repo_id = $1 and oid = any ($2::bytea[])', [repoId, oids.map(toBytes)])
}

function toBytes(lfsOid: string): Buffer {
  return Buffer.from(lfsOid, 'hex')
}
