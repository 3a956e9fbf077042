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

// Who may read a repository: the same facts that hub/access.ts decides on, as a set. Every token may at least read.
const readableElsewhere = `exists (
    select from lfs_grants g join repos r on r.id = g.repo_id
    where g.oid = o.oid and (
      r.visibility = 'public' or $3::boolean or r.namespace_id = $2::bigint
      or exists (select from organization_members m where m.organization_id = r.namespace_id and m.user_id = $2::bigint)
      or exists (select from collaborators c where c.repo_id = r.id and c.user_id = $2::bigint)))`

const grantedHere = 'exists (select from lfs_grants g where g.repo_id = $1 and g.oid = o.oid)'

const provenHere = `exists (
    select from lfs_uploads u
    where u.repo_id = $1 and u.oid = o.oid and u.user_id = $2::bigint and u.proven_at is not null)`

const usable = `(${grantedHere} or ${provenHere} or ${readableElsewhere})`

/** What the instance holds of `oids`, and what of that the asker may know about. Absent oids have no row. */
export async function findLfsObjects(db: Queryable, asker: LfsAsker, oids: readonly string[]): Promise<LfsObjectRow[]> {
  const rows = await db.query<Omit<LfsObjectRow, 'sizeBytes'> & { sizeBytes: string }>(
    `select encode(o.oid, 'hex') as "lfsOid", o.size_bytes as "sizeBytes", o.key,
      ${grantedHere} as "isGranted", ${usable} as "isUsable"
    from lfs_objects o
    where o.oid = any (select decode(hex, 'hex') from unnest($4::text[]) as hex)`,
    [asker.repoId, asker.userId, asker.isAdmin, oids],
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
    `with wanted as materialized (
      select distinct decode(hex, 'hex') as oid, size_bytes
      from unnest($4::text[], $5::bigint[]) as claim (hex, size_bytes)
    ), held as materialized (
      select o.oid, o.size_bytes from lfs_objects o
      where o.oid in (select oid from wanted) and ${usable}
      order by o.oid
      for key share of o
    )
    select encode(oid, 'hex') as "lfsOid", wanted.size_bytes as "sizeBytes", held.size_bytes as "heldBytes"
    from wanted left join held using (oid)
    where held.size_bytes is distinct from wanted.size_bytes
    order by oid, wanted.size_bytes`,
    [
      asker.repoId,
      asker.userId,
      asker.isAdmin,
      claims.map((claim) => claim.lfsOid),
      claims.map((claim) => claim.sizeBytes),
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
