/**
 * The LFS batch (git-lfs docs/api/batch.md): which objects a client may fetch from where, and which it has to send where.
 * Two statements whatever the number of objects. An answer grants nothing, and whether somebody else holds a content
 * shows in none: who may not read it is asked to upload it.
 */
import { lfsKey, newKeyId } from '../bucket/keys.ts'
import { findLfsObjects, type LfsObjectRow } from '../database/lfs-objects.ts'
import { insertLfsUploads, type LfsOffer } from '../database/lfs-uploads.ts'
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import {
  type BatchAction,
  type BatchObject,
  type BatchRequest,
  type BatchResponse,
  isKnownHash,
  readBatchObject,
  refuseObject,
  type WantedObject,
} from '../lfs/batch.ts'
import type { Hub } from './hub.ts'
import { countParts, offerParts } from './lfs-parts.ts'
import { lfsAsker } from './lfs-presence.ts'
import { proofWindowSeconds } from './lfs-transfer.ts'
import { openRepo } from './open-repo.ts'
import type { Principal, UserPrincipal } from './principal.ts'
import type { Repo } from './repo.ts'
import { signLink } from './signed-links.ts'

type Held = Map<string, LfsObjectRow>

/**
 * Answers a batch for somebody who may read `repo`. Throws Conflict for an unknown hash, InputTooLarge for too many
 * objects, CredentialsMissing or AccessDenied for an upload by somebody who may only read.
 */
export async function negotiateLfs(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  request: BatchRequest,
): Promise<BatchResponse> {
  checkRequest(hub, request)
  if (request.operation === 'upload') await openRepo(hub, principal, repo, 'write')
  const entries = request.objects.map(readBatchObject)
  const wanted = entries.filter(isWanted)
  const oids = [...new Set(wanted.map((object) => object.lfsOid))]
  const rows = oids.length === 0 ? [] : await findLfsObjects(hub.database, lfsAsker(principal, repo), oids)
  const held = new Map(rows.map((row) => [row.lfsOid, row]))
  const transfer = pickTransfer(hub, request, wanted)
  const isOfHub = takesMultipart(request)
  const answers =
    request.operation === 'upload'
      ? await answerUploads(hub, { user: principal as UserPrincipal, repo, held, transfer, isOfHub }, wanted)
      : await answerDownloads(hub, held, wanted)
  const objects = entries.map((entry) => (isWanted(entry) ? answers.get(identify(entry))! : entry))
  return { transfer, hash_algo: 'sha256', objects }
}

/** Clients of the Hub, and its agent for git-lfs. */
function takesMultipart(request: BatchRequest): boolean {
  return request.transfers?.includes('multipart') ?? false
}

/** `multipart` for what the store does not take in one piece, if the client knows it; one transfer for a whole batch. */
function pickTransfer(hub: Hub, request: BatchRequest, wanted: readonly WantedObject[]): BatchResponse['transfer'] {
  const { lfsSinglePutMaxBytes, lfsObjectMaxBytes } = hub.config.limits
  const isLarge = wanted.some(({ sizeBytes }) => sizeBytes > lfsSinglePutMaxBytes && sizeBytes <= lfsObjectMaxBytes)
  return request.operation === 'upload' && isLarge && takesMultipart(request) ? 'multipart' : 'basic'
}

function checkRequest(hub: Hub, request: BatchRequest): void {
  if (!isKnownHash(request.hash_algo)) {
    throw new HoldfastError('Conflict', {
      message: `This server knows LFS objects by sha256, not ${request.hash_algo}.`,
    })
  }
  const { lfsBatchMaxObjects } = hub.config.limits
  if (request.objects.length > lfsBatchMaxObjects) {
    throw new HoldfastError('InputTooLarge', {
      message: `A batch may name ${lfsBatchMaxObjects} objects, and this one names ${request.objects.length}.`,
    })
  }
}

async function answerDownloads(hub: Hub, held: Held, wanted: WantedObject[]): Promise<Map<string, BatchObject>> {
  const answers = new Map<string, BatchObject>()
  const pause = fairLoop()
  for (const object of wanted) {
    if (pause.due()) await pause.now()
    const row = held.get(object.lfsOid)
    answers.set(identify(object), row?.isGranted ? await answerDownload(hub, row, object) : refuseAbsent(object))
  }
  return answers
}

async function answerDownload(hub: Hub, row: LfsObjectRow, object: WantedObject): Promise<BatchObject> {
  if (row.sizeBytes !== object.sizeBytes) return refuseSize(object, row)
  const expiresInSeconds = hub.config.limits.lfsLinkExpiresInSeconds
  const direct = await hub.bucket.signedGet(row.key, { expiresInSeconds })
  const href = direct ?? signLink(hub, { method: 'GET', parts: downloadParts(row.key) }, expiresInSeconds)
  return { ...describe(object), authenticated: true, actions: { download: { href, expires_in: expiresInSeconds } } }
}

/** Where a home link to the bytes under `key` leads: the key's last part names both the content and the upload. */
function downloadParts(key: string): string[] {
  return ['lfs', 'objects', key.slice(key.lastIndexOf('/') + 1)]
}

interface UploadContext {
  user: UserPrincipal
  repo: Repo
  held: Held
  transfer: BatchResponse['transfer']
  /** A client of the Hub, which sends none of an action's headers. */
  isOfHub: boolean
}

async function answerUploads(
  hub: Hub,
  context: UploadContext,
  wanted: WantedObject[],
): Promise<Map<string, BatchObject>> {
  const answers = new Map<string, BatchObject>()
  const offers: LfsOffer[] = []
  let partsLeft = hub.config.limits.lfsBatchMaxParts
  const pause = fairLoop()
  for (const object of wanted) {
    if (pause.due()) await pause.now()
    if (answers.has(identify(object))) continue
    const answer = answerWithoutUpload(hub, context.held, object)
    if (answer !== undefined) {
      answers.set(identify(object), answer)
      continue
    }
    if (context.transfer === 'multipart') partsLeft -= countParts(hub, object.sizeBytes)
    if (partsLeft < 0) throw tooManyParts(hub)
    const { upload, offer } = await offerUpload(hub, context, object)
    offers.push(offer)
    answers.set(identify(object), upload)
  }
  if (offers.length > 0) {
    const expiresInSeconds = hub.config.limits.lfsLinkExpiresInSeconds
    const owner = { repoId: context.repo.id, userId: context.user.userId, expiresInSeconds }
    await insertLfsUploads(hub.database, owner, offers)
  }
  return answers
}

/** Before any is offered: an answer has a link for each part of each object. */
function tooManyParts({ config }: Hub): HoldfastError {
  const { lfsBatchMaxParts, lfsPartBytes } = config.limits
  return new HoldfastError('InputTooLarge', {
    message: `The objects of a batch may have ${lfsBatchMaxParts} parts of ${lfsPartBytes} bytes together. Ask for fewer at once.`,
  })
}

function answerWithoutUpload(hub: Hub, held: Held, object: WantedObject): BatchObject | undefined {
  const row = held.get(object.lfsOid)
  if (row?.isUsable) return row.sizeBytes === object.sizeBytes ? describe(object) : refuseSize(object, row)
  const { lfsObjectMaxBytes } = hub.config.limits
  if (object.sizeBytes <= lfsObjectMaxBytes) return undefined
  const message = `The object has ${object.sizeBytes} bytes; this server takes LFS objects of up to ${lfsObjectMaxBytes} bytes.`
  return refuseObject(describe(object), 422, message)
}

async function offerUpload(
  hub: Hub,
  { transfer, isOfHub }: UploadContext,
  object: WantedObject,
): Promise<{ upload: BatchObject; offer: LfsOffer }> {
  const uploadId = newKeyId()
  const inParts = transfer === 'multipart' ? await offerParts(hub, uploadId, object) : undefined
  const direct = inParts === undefined ? await signDirectUpload(hub, uploadId, object, isOfHub) : undefined
  const expiresInSeconds = hub.config.limits.lfsLinkExpiresInSeconds
  const upload: BatchAction = inParts ??
    direct ?? {
      href: signLink(hub, { method: 'PUT', parts: ['lfs', 'uploads', uploadId] }, expiresInSeconds),
      expires_in: expiresInSeconds,
    }
  // Good for longer than the upload's own link, which has to be good only when the upload begins.
  const verifyInSeconds = proofWindowSeconds(hub)
  const verify: BatchAction = {
    href: signLink(hub, { method: 'POST', parts: ['lfs', 'uploads', uploadId, 'verify'] }, verifyInSeconds),
    expires_in: verifyInSeconds,
  }
  return {
    upload: { ...describe(object), authenticated: true, actions: { upload, verify } },
    offer: { uploadId, lfsOid: object.lfsOid, sizeBytes: object.sizeBytes, isDirect: direct !== undefined },
  }
}

/** The action that sends the bytes straight into the store; undefined where they have to come through this server. */
async function signDirectUpload(
  hub: Hub,
  uploadId: string,
  object: WantedObject,
  isOfHub: boolean,
): Promise<BatchAction | undefined> {
  const { lfsSinglePutMaxBytes, lfsLinkExpiresInSeconds } = hub.config.limits
  if (object.sizeBytes > lfsSinglePutMaxBytes) return undefined
  const put = await hub.bucket.signedPut(lfsKey(object.lfsOid, uploadId), {
    sizeBytes: object.sizeBytes,
    sha256: object.lfsOid,
    expiresInSeconds: lfsLinkExpiresInSeconds,
    form: isOfHub ? 'query' : 'headers',
  })
  return (
    put && { href: put.url, ...(isOfHub ? undefined : { header: put.headers }), expires_in: lfsLinkExpiresInSeconds }
  )
}

function isWanted(entry: WantedObject | BatchObject): entry is WantedObject {
  return 'lfsOid' in entry
}

/** Two entries of one oid and different sizes are two questions. */
function identify(object: WantedObject): string {
  return `${object.lfsOid}:${object.sizeBytes}`
}

function describe(object: WantedObject): { oid: string; size: number } {
  return { oid: object.lfsOid, size: object.sizeBytes }
}

function refuseAbsent(object: WantedObject): BatchObject {
  return refuseObject(describe(object), 404, 'This repository has no such LFS object.')
}

function refuseSize(object: WantedObject, row: LfsObjectRow): BatchObject {
  const message = `The object has ${row.sizeBytes} bytes, not ${object.sizeBytes}.`
  return refuseObject(describe(object), 422, message)
}
