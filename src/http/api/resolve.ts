/**
 * Files pinned by revision: `/{prefix}{namespace}/{repo}/resolve/{rev}/{path}` is the content, `/raw/` the blob as Git
 * stores it. All headers that clients read (hub-api.md §2.5) are made here.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type DownloadCounts, isCountedFile } from '../../hub/downloads.ts'
import { type FileAtCommit, findLfsContent, openFile, readBlob, readLfsContent } from '../../hub/files.ts'
import type { Hub } from '../../hub/hub.ts'
import { repoPath } from '../../hub/repo.ts'
import { type ResolvedRevision, resolveRevisionPath } from '../../hub/revisions.ts'
import type { HttpByteRange } from '../bytes/range.ts'
import { isNotModified, sendBytes } from '../bytes/send-bytes.ts'
import { contentTypeOf } from '../content-type.ts'
import { repoRoute } from '../repo-route.ts'
import { segmentsBehind } from './revision-path.ts'

const yearSeconds = 365 * 86_400

/** The routes `/resolve/` and `/raw/` of all repositories. */
export function resolveRoutes(hub: Hub, downloads: DownloadCounts): FastifyPluginAsync {
  return async (server) => {
    for (const kind of ['resolve', 'raw'] as const) {
      repoRoute(server, {
        method: ['GET', 'HEAD'],
        path: `/${kind}/*`,
        access: 'read',
        handler: (request, reply) => sendFile(hub, request, reply, { kind, downloads }),
      })
    }
  }
}

async function sendFile(
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  { kind, downloads }: { kind: 'resolve' | 'raw'; downloads: DownloadCounts },
): Promise<FastifyReply> {
  const { repo } = request
  const { path, ...revision } = await resolveRevisionPath(hub, repo, segmentsBehind(request))
  reply.header('x-repo-commit', revision.commitId)
  const file = await openFile(hub, repo, { commitId: revision.commitId, path })
  const content = kind === 'raw' ? { ...file, lfs: undefined } : file
  describe(reply, content)
  const etag = `"${content.lfs?.lfsOid ?? content.blobId}"`
  reply.headers({ etag, 'cache-control': cacheControl(request, revision) })
  if (!revision.isPinned && isOneOfSeveral(request)) {
    return reply
      .code(307)
      .header('location', pinnedLocation(request, kind, content))
      .send()
  }
  if (kind === 'resolve' && isCountedFile(repo.type, file.path)) downloads.count(repo.id)
  if (isNotModified(request, etag)) return reply.code(304).send()
  if (content.lfs === undefined) {
    const read = async (range: HttpByteRange | undefined) => readBlob(hub, repo, content.blobId, range)
    return await sendBytes(request, reply, { etag, sizeBytes: content.sizeBytes, read })
  }
  const { lfs } = content
  const { key } = await findLfsContent(hub, repo, lfs)
  const url = await hub.bucket.signedGet(key, {
    expiresInSeconds: hub.config.limits.lfsLinkExpiresInSeconds,
    contentDisposition: dispositionOf(content.path),
    contentType: contentTypeOf(content.path),
  })
  // A redirect lives only as long as the link it names.
  if (url !== undefined) return reply.header('cache-control', 'no-store').redirect(url, 302)
  const read = (range: HttpByteRange | undefined) => readLfsContent(hub, key, range)
  return await sendBytes(request, reply, { etag, sizeBytes: lfs.sizeBytes, read })
}

/**
 * Whether a client will ask for the rest in another request: for what HEAD told of, for the next range, for what a broken
 * download lacks. It is sent to the commit's own address, where nothing changes in between. One GET of the whole is
 * answered as it is, so that `curl` without `-L` works as well.
 */
function isOneOfSeveral({ method, headers }: FastifyRequest): boolean {
  return method === 'HEAD' || (headers.range !== undefined && headers['if-range'] === undefined)
}

/** Relative: what leads elsewhere is not followed by HEAD requests of huggingface_hub, and loses their credentials. */
function pinnedLocation({ repo, raw }: FastifyRequest, kind: string, { commitId, path }: FileAtCommit): string {
  const query = raw.url!.indexOf('?')
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return `/${repoPath(repo)}/${kind}/${commitId}/${encoded}${query < 0 ? '' : raw.url!.slice(query)}`
}

function describe(reply: FastifyReply, { path, lfs }: FileAtCommit): void {
  reply.headers({
    'accept-ranges': 'bytes',
    'content-disposition': dispositionOf(path),
    'content-type': contentTypeOf(path),
    // Content that anybody may have pushed: never a page that acts in this origin's name.
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    'x-content-type-options': 'nosniff',
  })
  if (lfs !== undefined) reply.headers({ 'x-linked-etag': `"${lfs.lfsOid}"`, 'x-linked-size': lfs.sizeBytes })
}

/** What a full commit id names never changes; a branch or a tag is asked for again each time. */
function cacheControl({ repo }: FastifyRequest, { isPinned }: ResolvedRevision): string {
  const scope = repo.visibility === 'public' ? 'public' : 'private'
  return isPinned ? `${scope}, max-age=${yearSeconds}, immutable` : `${scope}, no-cache`
}

/** RFC 6266, with a plain name for old clients: huggingface_hub shows it beside its progress bar. */
function dispositionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  )
  return `inline; filename*=UTF-8''${encoded}; filename="${plain}";`
}
