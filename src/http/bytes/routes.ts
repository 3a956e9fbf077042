/**
 * Home links: raw bytes in and out for clients that the bucket cannot serve itself. The link's signature is the
 * permission, so these routes ask for no account (hub/signed-links.ts).
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { ByteStream } from '../../git/object-id.ts'
import { openLinkedPack, packLinks } from '../../hub/clone-links.ts'
import type { Hub } from '../../hub/hub.ts'
import { completeLfsParts, receiveLfsPart } from '../../hub/lfs-parts.ts'
import { readLfsBytes, receiveLfsUpload, statLfsBytes, verifyLfsUpload } from '../../hub/lfs-transfer.ts'
import { checkLink, type LinkQuery, type LinkTarget, linksPath } from '../../hub/signed-links.ts'
import { CompletionRequest, VerifyRequest } from '../../lfs/batch.ts'
import { clientSignal, passBodiesThrough, requestBytes } from '../byte-stream.ts'
import { sendLfsError } from '../lfs/errors.ts'
import { takeJsonOfAnyType } from '../lfs/media-type.ts'
import { pathOf } from '../path-safety.ts'
import { isNotModified, sendBytes } from './send-bytes.ts'

/** The routes below `linksPath`. */
export function bytesRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendLfsError)
    server.register(async (room) => {
      // Of any type: git-lfs sends the type that it guessed from the content, JSON included.
      passBodiesThrough(room)
      route(room, hub, {
        method: 'PUT',
        url: `${linksPath}/lfs/uploads/:uploadId`,
        handler: (request, reply) => receiveUpload(hub, request, reply),
      })
      route(room, hub, {
        method: 'PUT',
        url: `${linksPath}/lfs/uploads/:uploadId/parts/:part`,
        handler: (request, reply) => receivePart(hub, request, reply),
      })
      route(room, hub, {
        method: ['GET', 'HEAD'],
        url: `${linksPath}/${packLinks}/:repoId/:name`,
        handler: (request, reply) => sendPack(hub, request, reply),
      })
      route(room, hub, {
        method: ['GET', 'HEAD'],
        url: `${linksPath}/lfs/objects/:name`,
        handler: (request, reply) => sendObject(hub, request, reply),
      })
    })
    server.register(async (room) => {
      takeJsonOfAnyType(room)
      route(room, hub, {
        method: 'POST',
        url: `${linksPath}/lfs/uploads/:uploadId/complete`,
        schema: { summary: 'End a multipart upload', body: CompletionRequest },
        handler: (request, reply) => completeUpload(hub, request, reply),
      })
      route(room, hub, {
        method: 'POST',
        url: `${linksPath}/lfs/uploads/:uploadId/verify`,
        schema: { body: VerifyRequest },
        handler: (request, reply) => verifyUpload(hub, request, reply),
      })
    })
  }
}

/**
 * Every route here is open to whoever holds a link, and closed to all others. Checked where access is decided: before a
 * client that expects a continue is told to send its body.
 */
function route(server: FastifyInstance, hub: Hub, options: RouteOptions): void {
  const access = (request: FastifyRequest): 'public' => {
    checkLink(hub, targetOf(request), request.query as LinkQuery)
    return 'public'
  }
  server.route({ ...options, config: { access } })
}

function targetOf(request: FastifyRequest): LinkTarget {
  const path = pathOf(request.raw.url!).slice(linksPath.length + 1)
  return { method: request.method as LinkTarget['method'], parts: path.split('/').map(decodeURIComponent) }
}

async function sendPack(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { repoId, name } = request.params as { repoId: string; name: string }
  const { sizeBytes, read } = await openLinkedPack(hub, repoId, name)
  reply.headers(rawBytesHeaders(`"${name}"`))
  return await sendBytes(request, reply, { etag: `"${name}"`, sizeBytes, read })
}

async function receiveUpload(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { uploadId } = request.params as { uploadId: string }
  const announced = request.headers['content-length']
  await receiveBody(request, reply, (body, signal) =>
    receiveLfsUpload(hub, {
      uploadId,
      body,
      announcedBytes: announced === undefined ? undefined : Number(announced),
      signal,
    }),
  )
  return await reply.code(200).send()
}

async function receivePart(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { uploadId, part } = request.params as { uploadId: string; part: string }
  await receiveBody(request, reply, (body, signal) =>
    receiveLfsPart(hub, { uploadId, part: Number(part), body, signal }),
  )
  // Clients give it back at the end, and fail without one.
  return await reply.code(200).header('etag', `"${uploadId}-${part}"`).send()
}

async function receiveBody(
  request: FastifyRequest,
  reply: FastifyReply,
  receive: (body: ByteStream, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HoldfastError('MediaTypeUnsupported')
  try {
    await receive(requestBytes(request.raw), clientSignal(reply))
  } catch (error) {
    // Part of the body is still to come, or never will.
    if (!request.raw.complete) reply.header('connection', 'close')
    throw error
  }
}

async function completeUpload(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { uploadId } = request.params as { uploadId: string }
  const { oid, parts } = request.body as CompletionRequest
  await completeLfsParts(hub, uploadId, { lfsOid: oid, partNumbers: parts.map(({ partNumber }) => partNumber) })
  return await reply.code(200).send()
}

async function verifyUpload(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { uploadId } = request.params as { uploadId: string }
  const { oid, size } = request.body as VerifyRequest
  await verifyLfsUpload(hub, uploadId, { lfsOid: oid, sizeBytes: size })
  return await reply.code(200).send()
}

async function sendObject(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { key, lfsOid, sizeBytes } = await statLfsBytes(hub, (request.params as { name: string }).name)
  const etag = `"${lfsOid}"`
  reply.headers(rawBytesHeaders(etag))
  if (isNotModified(request, etag)) return await reply.code(304).send()
  return await sendBytes(request, reply, { etag, sizeBytes, read: (range) => readLfsBytes(hub, key, range) })
}

function rawBytesHeaders(etag: string): Record<string, string> {
  return {
    etag,
    'accept-ranges': 'bytes',
    // Bytes that somebody else chose: to be saved, never to be shown as a page of this origin, never to be recoded.
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'private, no-transform',
  }
}
