/** Uploads that were offered to a user for a repository, and which of them were proven. */
import type { Queryable, RepoId, UserId } from './queryable.ts'

export interface LfsUpload {
  uploadId: string
  lfsOid: string
  sizeBytes: number
  /** The store itself was bound to size and SHA-256; false: the bytes come through the server. */
  isDirect: boolean
  isProven: boolean
  /** Bytes sent straight to the store may no longer be counted: a sweep may already be deleting them. */
  isStale: boolean
}

export interface LfsOffer {
  uploadId: string
  lfsOid: string
  sizeBytes: number
  isDirect: boolean
}

interface UploadRow extends Omit<LfsUpload, 'sizeBytes'> {
  sizeBytes: string
}

const columns = `u.id as "uploadId", encode(u.oid, 'hex') as "lfsOid", u.size_bytes as "sizeBytes",
  u.is_direct as "isDirect", u.proven_at is not null as "isProven"`

const offersTried = 4

/** Notes all offers of one batch answer, in one statement. */
export async function insertLfsUploads(
  db: Queryable,
  owner: { repoId: RepoId; userId: UserId; expiresInSeconds: number },
  offers: readonly LfsOffer[],
): Promise<void> {
  await db.query(
    `insert into lfs_uploads (id, repo_id, user_id, oid, size_bytes, is_direct, expires_at)
    select id, $1, $2, decode(hex, 'hex'), size_bytes, is_direct, now() + make_interval(secs => $3)
    from unnest($4::uuid[], $5::text[], $6::bigint[], $7::boolean[]) as offer (id, hex, size_bytes, is_direct)`,
    [
      owner.repoId,
      owner.userId,
      owner.expiresInSeconds,
      offers.map((offer) => offer.uploadId),
      offers.map((offer) => offer.lfsOid),
      offers.map((offer) => offer.sizeBytes),
      offers.map((offer) => offer.isDirect),
    ],
  )
}

/** The upload; undefined when there is none. `staleAfterSeconds` counts from the offer. */
export async function findLfsUpload(
  db: Queryable,
  uploadId: string,
  staleAfterSeconds: number,
): Promise<LfsUpload | undefined> {
  const rows = await db.query<UploadRow>(
    `select ${columns}, u.created_at < now() - make_interval(secs => $2) as "isStale" from lfs_uploads u where u.id = $1`,
    [uploadId, staleAfterSeconds],
  )
  return rows.map(uploadOf)[0]
}

/**
 * Offers to this user in this repository to send bytes straight to the store, of which no proof has come. The newest few
 * of each oid: a client that asks again uses the new link.
 */
export async function findUnprovenDirectUploads(
  db: Queryable,
  owner: { repoId: RepoId; userId: UserId; staleAfterSeconds: number },
  oids: readonly string[],
): Promise<LfsUpload[]> {
  const rows = await db.query<UploadRow>(
    `select u.* from unnest($4::text[]) as wanted (hex), lateral (
      select ${columns}, false as "isStale" from lfs_uploads u
      where u.repo_id = $1 and u.user_id = $2 and u.oid = decode(wanted.hex, 'hex') and u.is_direct
        and u.proven_at is null and u.created_at >= now() - make_interval(secs => $3)
      order by u.created_at desc
      limit ${offersTried}
    ) as u`,
    [owner.repoId, owner.userId, owner.staleAfterSeconds, oids],
  )
  return rows.map(uploadOf)
}

/** Locks those of `uploadIds` that are not proven yet, and resolves to their ids. */
export async function lockUnprovenUploads(tx: Queryable, uploadIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    'select id from lfs_uploads where id = any ($1::uuid[]) and proven_at is null order by id for update',
    [uploadIds],
  )
  return rows.map((row) => row.id)
}

/** Marks the uploads proven; the first proof's time stays. Resolves to how many of them still exist. */
export async function markUploadsProven(tx: Queryable, uploadIds: readonly string[]): Promise<number> {
  const rows = await tx.query(
    'update lfs_uploads set proven_at = coalesce(proven_at, now()) where id = any ($1::uuid[]) returning id',
    [uploadIds],
  )
  return rows.length
}

/** Forgets offers that were never taken up. */
export async function deleteOldLfsOffers(db: Queryable, keptSeconds: number): Promise<void> {
  await db.query('delete from lfs_uploads where proven_at is null and created_at < now() - make_interval(secs => $1)', [
    keptSeconds,
  ])
}

function uploadOf(row: UploadRow): LfsUpload {
  return { ...row, sizeBytes: Number(row.sizeBytes) }
}
