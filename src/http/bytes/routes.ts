/**
 * Home links: raw bytes in and out for clients that the bucket cannot serve itself. The link's signature is the
 * permission, so these routes ask for no account (hub/signed-links.ts).
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import type { Hub } from '../../hub/hub.ts'
import { readLfsBytes, receiveLfsUpload, statLfsBytes, verifyLfsUpload } from '../../hub/lfs-transfer.ts'
import { checkLink, type LinkQuery, type LinkTarget, linksPath } from '../../hub/signed-links.ts'
import { VerifyRequest } from '../../lfs/batch.ts'
import { sendLfsError } from '../lfs/errors.ts'
import { takeLfsJson } from '../lfs/media-type.ts'
import { pickRange } from './range.ts'

/** The routes below `linksPath`. */
export function bytesRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendLfsError)
    server.register(async (room) => {
      takeRawBodies(room)
      route(room, hub, {
        method: 'PUT',
        url: `${linksPath}/lfs/uploads/:uploadId`,
        handler: (request, reply) => receiveUpload(hub, request, reply),
      })
      route(room, hub, {
        method: ['GET', 'HEAD'],
        url: `${linksPath}/lfs/objects/:name`,
        handler: (request, reply) => sendObject(hub, request, reply),
      })
    })
    server.register(async (room) => {
      takeLfsJson(room)
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
  const path = request.raw.url!.slice(linksPath.length + 1).split('?', 1)[0]!
  return { method: request.method as LinkTarget['method'], parts: path.split('/').map(decodeURIComponent) }
}

/** Bodies of any type stay streams: git-lfs sends the type that it guessed from the content, JSON included. */
function takeRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _body, done) => done(null))
}

async function receiveUpload(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { uploadId } = request.params as { uploadId: string }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HoldfastError('MediaTypeUnsupported')
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const announced = request.headers['content-length']
  try {
    await receiveLfsUpload(hub, {
      uploadId,
      // Left alone when the reading stops early: destroying the request would close the connection before the answer.
      body: request.raw.iterator({ destroyOnReturn: false }),
      announcedBytes: announced === undefined ? undefined : Number(announced),
      signal: gone.signal,
    })
  } catch (error) {
    if (request.raw.complete) throw error
    // Part of the body is still to come, or never will.
    reply.header('connection', 'close')
    throw request.raw.destroyed ? new HoldfastError('InputTruncated', { cause: error }) : error
  }
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
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    // Bytes that somebody else chose: to be saved, never to be shown as a page of this origin, never to be recoded.
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'private, no-transform',
  })
  if (isKnownVersion(request.headers['if-none-match'], etag)) return await reply.code(304).send()
  const range = request.method === 'GET' ? pickRange(request.headers, sizeBytes, etag) : undefined
  const lengthBytes = range === undefined ? sizeBytes : range.end - range.start + 1
  reply.header('content-length', lengthBytes)
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`)
  }
  if (request.method === 'HEAD') return await reply.send()
  const bytes = await readLfsBytes(hub, key, range)
  return await reply.send(Readable.from(bytes, { objectMode: false }))
}

function isKnownVersion(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = (ifNoneMatch ?? '').split(',').map((value) => value.trim().replace(/^W\//, ''))
  return known.includes(etag) || known.includes('*')
}
