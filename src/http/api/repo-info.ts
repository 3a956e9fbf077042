/** A repository described, at its default branch or at any revision (hub-api.md §2.3). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import type { ObjectId } from '../../git/object-id.ts'
import { listFiles } from '../../hub/file-lists.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Repo } from '../../hub/repo.ts'
import { describeRepo, storageOf } from '../../hub/repo-metadata.ts'
import { resolveRevision } from '../../hub/revisions.ts'
import { visibleRefs } from '../../hub/visible-refs.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { checkExpanded, expandedIn, infoFields, needsFacts, writeRepo } from './repo-fields.ts'
import { revisionBehind } from './revision-path.ts'
import { isTrue } from './schemas.ts'

const Texts = Type.Union([Type.String(), Type.Array(Type.String())])

const InfoQuery = Type.Object({
  blobs: Type.Optional(Type.String()),
  securityStatus: Type.Optional(Type.String()),
  expand: Type.Optional(Texts),
  'expand[]': Type.Optional(Texts),
})

/** The routes `/api/{T}/{namespace}/{repo}` and `/api/{T}/{namespace}/{repo}/revision/{rev}`. */
export function repoInfoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    const schema = { querystring: InfoQuery }
    apiRepoRoute(server, {
      method: 'GET',
      path: '',
      access: 'read',
      schema,
      handler: (request, reply) => describe(hub, request, reply, undefined),
    })
    apiRepoRoute(server, {
      method: 'GET',
      path: '/revision/*',
      access: 'read',
      schema,
      handler: (request, reply) => describe(hub, request, reply, revisionBehind(request)),
    })
  }
}

async function describe(
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  revision: string | undefined,
): Promise<FastifyReply> {
  const { repo } = request
  const { names, isDetailed, withSecurity } = readQuery(repo, request.query as Static<typeof InfoQuery>)
  const commitId = revision === undefined ? await findDefault(hub, repo) : await findCommit(hub, repo, revision)
  const isRead = needsFacts(names) || names.some((name) => namesOfTags.includes(name))
  const [known, siblings, usedStorage] = await Promise.all([
    describeRepo(hub, repo, isRead ? commitId : undefined),
    names.includes('siblings') ? listSiblings(hub, repo, { commitId, isDetailed }) : undefined,
    names.includes('usedStorage') ? storageOf(hub, repo) : undefined,
  ])
  const info = writeRepo({ ...repo, ...known, commitId, siblings, usedStorage }, names)
  const security = withSecurity ? { securityRepoStatus: { scansDone: false, filesWithIssues: [] } } : undefined
  return reply.header('cache-control', 'no-store').send({ ...info, ...security })
}

const namesOfTags = ['tags', 'pipeline_tag', 'library_name']

/** Throws InputInvalid for fields that there are not, or that are asked for together with what brings its own. */
function readQuery(repo: Repo, query: Static<typeof InfoQuery>) {
  const expanded = expandedIn(query)
  const isDetailed = isTrue(query.blobs)
  const withSecurity = isTrue(query.securityStatus)
  checkExpanded(repo.type, expanded)
  if (expanded.length > 0 && (isDetailed || withSecurity)) {
    throw new HoldfastError('InputInvalid', {
      message: '"expand" cannot be asked for together with "blobs" or "securityStatus"',
    })
  }
  return { names: expanded.length > 0 ? expanded : infoFields[repo.type], isDetailed, withSecurity }
}

async function findCommit(hub: Hub, repo: Repo, revision: string): Promise<ObjectId> {
  return (await resolveRevision(hub, repo, revision)).commitId
}

/** An empty repository has no commit to describe, and is one all the same. */
async function findDefault(hub: Hub, repo: Repo): Promise<ObjectId | undefined> {
  const { headId } = (await visibleRefs(hub, repo)).snapshot
  return headId === undefined ? undefined : await findCommit(hub, repo, 'HEAD')
}

async function listSiblings(
  hub: Hub,
  repo: Repo,
  { commitId, isDetailed }: { commitId: ObjectId | undefined; isDetailed: boolean },
) {
  if (commitId === undefined) return []
  const files = await listFiles(hub, repo, { commitId, isDetailed })
  return files?.map((file) => writeSibling(file, isDetailed))
}

type Listed = NonNullable<Awaited<ReturnType<typeof listFiles>>>[number]

function writeSibling({ path, blobId, sizeBytes, lfs }: Listed, isDetailed: boolean) {
  if (!isDetailed) return { rfilename: path }
  if (lfs === undefined) return { rfilename: path, blobId, size: sizeBytes }
  return {
    rfilename: path,
    blobId,
    size: lfs.sizeBytes,
    lfs: { sha256: lfs.lfsOid, size: lfs.sizeBytes, pointerSize: sizeBytes },
  }
}
