/**
 * Certificates of signed pushes in a repository on disk: kept as a blob and shown to hooks as git does (githooks,
 * pre-receive). The signature is theirs to check: there are no keys here.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashObject } from '../git/hash-object.ts'
import type { PushCertificate } from '../git/host.ts'
import type { ObjectId } from '../git/object-id.ts'
import { checkPushNonce, type NonceKey, type NonceStatus } from '../git/protocol/push-nonce.ts'
import type { BareRepository } from './bare-repository.ts'
import { writeLooseObject } from './loose-objects.ts'
import { migrateObjects } from './migrate-objects.ts'

export interface ExpectedNonce {
  key: NonceKey
  /** The one that was given out in this conversation, where it keeps its state: no other is good. */
  issued: string | undefined
}

/** Keeps the certificate; returns what hooks are told of it. Without one there is nothing to tell. */
export async function keepCertificate(
  { objectsPath, settings }: BareRepository,
  certificate: PushCertificate | undefined,
  expected: ExpectedNonce | undefined,
): Promise<Record<string, string>> {
  if (certificate === undefined || expected === undefined) return {}
  const { bytes, pusher = '', nonce } = certificate
  const nowSeconds = Math.floor(Date.now() / 1000)
  const issuedAt = Number(/^(\d+)-/.exec(nonce ?? '')?.[1] ?? nowSeconds)
  const slopSeconds = settings.receive.certNonceSlopSeconds
  const status = judgeNonce(nonce, expected, { nowSeconds, slopSeconds })
  return {
    GIT_PUSH_CERT: await writeBlob(objectsPath, bytes),
    GIT_PUSH_CERT_SIGNER: pusher,
    GIT_PUSH_CERT_KEY: '',
    // git's letter for a signature that cannot be checked, as for want of the key.
    GIT_PUSH_CERT_STATUS: 'E',
    GIT_PUSH_CERT_NONCE: nonce ?? '',
    GIT_PUSH_CERT_NONCE_STATUS: status.toUpperCase(),
    ...(status === 'slop' ? { GIT_PUSH_CERT_NONCE_SLOP: String(issuedAt - nowSeconds) } : {}),
  }
}

function judgeNonce(
  nonce: string | undefined,
  { key, issued }: ExpectedNonce,
  times: { nowSeconds: number; slopSeconds: number },
): NonceStatus {
  if (issued !== undefined && nonce !== undefined) return nonce === issued ? 'ok' : 'bad'
  return checkPushNonce(nonce, key, times)
}

async function writeBlob(objectsPath: string, data: Buffer): Promise<ObjectId> {
  const id = hashObject({ type: 'blob', data })
  const folder = await mkdtemp(join(objectsPath, 'tmp_objdir-incoming-'))
  try {
    await writeLooseObject(folder, id, { type: 'blob', sizeBytes: data.length, content: oneChunk(data) })
    await migrateObjects(folder, objectsPath)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return id
}

async function* oneChunk(data: Buffer): AsyncGenerator<Uint8Array> {
  yield data
}
