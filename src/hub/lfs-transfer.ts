/**
 * LFS bytes on their way in and out, and the proof that content arrived: by this server, which hashes what streams
 * through it, or by the store, which was bound to size and SHA-256 when the upload was signed.
 */
import type { ByteRange, ByteStream } from '../bucket/bucket.ts'
import { lfsKey, newKeyId } from '../bucket/keys.ts'
import { verifyBytes } from '../bucket/verifying.ts'
import { doomBytes } from '../database/doomed-bytes.ts'
import { findLfsObjects, findUnnamedLfsKeys, insertLfsObjects, type LfsProof } from '../database/lfs-objects.ts'
import {
  findLfsUpload,
  findUnprovenDirectUploads,
  type LfsUpload,
  lockUnprovenUploads,
  markUploadsProven,
} from '../database/lfs-uploads.ts'
import type { Queryable } from '../database/queryable.ts'
import { HoldfastError } from '../errors.ts'
import { parseLfsOid } from '../lfs/oid.ts'
import type { Hub } from './hub.ts'
import { lfsAsker } from './lfs-presence.ts'
import type { Principal } from './principal.ts'
import type { Repo } from './repo.ts'

/** How many keys the store is asked about at once. */
const statsAtOnce = 16

/**
 * How long after its offer an upload that went straight to the store may be proven. Bytes without a row are swept when
 * they are as old as `orphanBytesGraceSeconds`; half of that keeps the two apart.
 */
export function proofWindowSeconds(hub: Hub): number {
  return Math.floor(hub.config.limits.orphanBytesGraceSeconds / 2)
}

export interface IncomingUpload {
  uploadId: string
  body: ByteStream
  /** What Content-Length announced; undefined for a chunked body. */
  announcedBytes: number | undefined
  signal: AbortSignal
}

/**
 * Takes the bytes of an upload that comes through this server. Size and SHA-256 are checked while they stream; wrong
 * bytes leave nothing. Throws BytesMissing for an unknown upload, InputTooLarge, BytesMismatch, or the body's own error.
 */
export async function receiveLfsUpload(hub: Hub, incoming: IncomingUpload): Promise<void> {
  const { uploadId, announcedBytes, signal } = incoming
  const upload = await openUpload(hub, uploadId)
  checkAnnouncedBytes(hub, upload, announcedBytes)
  await storeProven(hub, upload, incoming.body, signal)
}

/** Stores an upload's bytes and counts them as present. Throws BytesMismatch where they are others, and leaves nothing. */
export async function storeProven(hub: Hub, upload: LfsUpload, body: ByteStream, signal: AbortSignal): Promise<void> {
  const { uploadId, lfsOid, sizeBytes } = upload
  // A key of its own for every attempt: two clients may hold the same link, and keys are never reused.
  const key = lfsKey(lfsOid, newKeyId())
  await hub.bucket.put(key, verifyBytes(body, { sizeBytes, sha256: lfsOid }), { signal })
  await hub.database.transaction((tx) => recordProofs(hub, tx, [{ uploadId, lfsOid, sizeBytes, key }]))
}

/**
 * Whether an upload has arrived, as its client claims; it counts from then on. May be called again. Throws BytesMissing
 * where it has not arrived, BytesMismatch where the client names another content than was offered.
 */
export async function verifyLfsUpload(
  hub: Hub,
  uploadId: string,
  claimed: { lfsOid: string; sizeBytes: number },
): Promise<void> {
  const upload = await openUpload(hub, uploadId)
  if (upload.lfsOid !== claimed.lfsOid || upload.sizeBytes !== claimed.sizeBytes) {
    throw new HoldfastError('BytesMismatch', { message: 'This upload was offered for another oid or size.' })
  }
  if (upload.isProven) return
  const proof = upload.isDirect && !upload.isStale ? await proveDirectUpload(hub, upload) : undefined
  if (proof === undefined) throw new HoldfastError('BytesMissing', { message: 'The object has not been uploaded.' })
  await recordDirectProofs(hub, [proof])
}

/**
 * Proves what the pusher sent straight to the store without ever calling verify. Talks to the store: call it before the
 * push's transaction, in which `findMissingLfs` then decides.
 */
export async function proveUploads(
  hub: Hub,
  repo: Pick<Repo, 'id'>,
  principal: Principal,
  oids: readonly string[],
): Promise<void> {
  if (principal.kind !== 'user' || oids.length === 0) return
  const rows = await findLfsObjects(hub.database, lfsAsker(principal, repo), oids)
  const usable = new Set(rows.filter((row) => row.isUsable).map((row) => row.lfsOid))
  const rest = oids.filter((oid) => !usable.has(oid))
  if (rest.length === 0) return
  const owner = { repoId: repo.id, userId: principal.userId, staleAfterSeconds: proofWindowSeconds(hub) }
  const uploads = await findUnprovenDirectUploads(hub.database, owner, rest)
  const proofs: LfsProof[] = []
  for (let first = 0; first < uploads.length; first += statsAtOnce) {
    const some = uploads.slice(first, first + statsAtOnce)
    const proved = await Promise.all(some.map((upload) => proveDirectUpload(hub, upload)))
    proofs.push(...proved.filter((proof) => proof !== undefined))
  }
  if (proofs.length > 0) await recordDirectProofs(hub, proofs)
}

/** The size of the bytes that a signed download link names. Throws BytesMissing. */
export async function statLfsBytes(
  hub: Hub,
  name: string,
): Promise<{ key: string; lfsOid: string; sizeBytes: number }> {
  const [lfsOid, keyId] = [parseLfsOid(name.slice(0, 64)), name.slice(65)]
  if (lfsOid === undefined || name[64] !== '.') throw new HoldfastError('BytesMissing')
  const key = lfsKey(lfsOid, keyId)
  const stat = await hub.bucket.stat(key)
  if (stat === undefined) throw new HoldfastError('BytesMissing')
  return { key, lfsOid, sizeBytes: stat.sizeBytes }
}

/** The bytes under a key that `statLfsBytes` named, or a range of them; each chunk holds until the next is asked for. */
export async function readLfsBytes(hub: Hub, key: string, range: ByteRange | undefined): Promise<ByteStream> {
  return await hub.bucket.get(key, range, { reusesChunks: true })
}

/** The upload of that id. Throws BytesMissing where there is none. */
export async function openUpload(hub: Hub, uploadId: string): Promise<LfsUpload> {
  const upload = await findLfsUpload(hub.database, uploadId, proofWindowSeconds(hub))
  if (upload === undefined) throw uploadGone()
  return upload
}

function uploadGone(): HoldfastError {
  return new HoldfastError('BytesMissing', { message: 'There is no such upload, or its repository is gone.' })
}

function checkAnnouncedBytes(hub: Hub, upload: LfsUpload, announcedBytes: number | undefined): void {
  if (announcedBytes === undefined || announcedBytes === upload.sizeBytes) return
  const { lfsObjectMaxBytes } = hub.config.limits
  if (announcedBytes > lfsObjectMaxBytes) {
    throw new HoldfastError('InputTooLarge', {
      message: `This server takes LFS objects of up to ${lfsObjectMaxBytes} bytes.`,
    })
  }
  throw new HoldfastError('BytesMismatch', {
    message: `The upload was offered for ${upload.sizeBytes} bytes, and ${announcedBytes} were announced.`,
  })
}

/** The proof that the store holds the upload, undefined where it does not. */
async function proveDirectUpload(hub: Hub, upload: LfsUpload): Promise<LfsProof | undefined> {
  const { uploadId, lfsOid, sizeBytes } = upload
  const key = lfsKey(lfsOid, uploadId)
  const stat = await hub.bucket.stat(key)
  return stat?.sizeBytes === sizeBytes ? { uploadId, lfsOid, sizeBytes, key } : undefined
}

async function recordDirectProofs(hub: Hub, proofs: readonly LfsProof[]): Promise<void> {
  await hub.database.transaction(async (tx) => {
    // Only once per upload: after the first time its key may be doomed, and must never be named by a row again.
    const unproven = new Set(
      await lockUnprovenUploads(
        tx,
        proofs.map((proof) => proof.uploadId),
      ),
    )
    await recordProofs(
      hub,
      tx,
      proofs.filter((proof) => unproven.has(proof.uploadId)),
    )
  })
}

/** Counts proven bytes as present and as their uploader's. */
async function recordProofs(hub: Hub, tx: Queryable, proofs: readonly LfsProof[]): Promise<void> {
  await holdLfsBytes(hub, tx, proofs)
  const noted = await markUploadsProven(
    tx,
    proofs.map((proof) => proof.uploadId),
  )
  if (noted < proofs.length) throw uploadGone()
}

/** Makes proven bytes an LFS object of the instance; dooms those of which it has a copy already. */
export async function holdLfsBytes(
  hub: Hub,
  tx: Queryable,
  proofs: readonly Omit<LfsProof, 'uploadId'>[],
): Promise<void> {
  await insertLfsObjects(tx, proofs)
  const duplicates = await findUnnamedLfsKeys(
    tx,
    proofs.map((proof) => proof.key),
  )
  if (duplicates.length > 0) await doomBytes(tx, duplicates, hub.config.limits.doomedBytesGraceSeconds)
}
