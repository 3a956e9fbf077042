/** The history of a revision: `/api/{T}/{namespace}/{repo}/commits/{rev}` (hub-api.md §2.9). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type ListedCommit, listCommits } from '../../hub/history.ts'
import type { Hub } from '../../hub/hub.ts'
import { resolveRevision } from '../../hub/revisions.ts'
import { clientSignal } from '../byte-stream.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { revisionBehind } from './revision-path.ts'

const Texts = Type.Union([Type.String(), Type.Array(Type.String())])

const CommitsQuery = Type.Object({
  p: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  expand: Type.Optional(Texts),
  'expand[]': Type.Optional(Texts),
})

const pageSizeDefault = 100

/** The route `/commits/`. */
export function commitsRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    apiRepoRoute(server, {
      method: 'GET',
      path: '/commits/*',
      access: 'read',
      schema: { querystring: CommitsQuery },
      handler: (request, reply) => sendCommits(hub, request, reply),
    })
  }
}

async function sendCommits(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = request.query as Static<typeof CommitsQuery>
  const { commitId, isPinned } = await resolveRevision(hub, request.repo, revisionBehind(request))
  const page = query.p ?? 0
  const pageSize = Math.min(query.limit ?? pageSizeDefault, hub.config.limits.listPageMax)
  const { commits, total } = await listCommits(hub, request.repo, {
    commitId,
    skip: page * pageSize,
    pageSize,
    signal: clientSignal(reply),
  })
  if ((page + 1) * pageSize < total) {
    const next = new URL(request.raw.url!, hub.config.publicUrl)
    // The pages of a branch that moves meanwhile belong to the same history.
    if (!isPinned) next.pathname = next.pathname.replace(/\/commits\/.*$/, `/commits/${commitId}`)
    next.searchParams.set('p', String(page + 1))
    reply.header('link', `<${next.href}>; rel="next"`)
  }
  const isFormatted = [query.expand ?? [], query['expand[]'] ?? []].flat().includes('formatted')
  return reply
    .header('x-total-count', total)
    .header('cache-control', 'no-store')
    .send(commits.map((commit) => writeCommit(commit, isFormatted)))
}

function writeCommit({ id, message: text, author, committer }: ListedCommit, isFormatted: boolean) {
  const [title, ...rest] = text.split('\n')
  const message = rest.join('\n').trim()
  return {
    id,
    title,
    message,
    authors: [{ user: author.name, avatar: '' }],
    date: writeDate(committer.seconds),
    ...(isFormatted ? { formatted: { title: escapeHtml(title), message: formatParagraphs(message) } } : undefined),
  }
}

// The last second of the year 9999: what clients can read.
const secondsMax = 253_402_300_799

function writeDate(seconds: number): string {
  return new Date(Math.min(seconds, secondsMax) * 1000).toISOString()
}

function formatParagraphs(message: string): string {
  if (message === '') return ''
  return message
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`)
    .join('\n')
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => entities[sign])
}
