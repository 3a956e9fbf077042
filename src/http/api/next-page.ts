/** Where a list goes on: `Link: <absolute url>; rel="next"`, which clients follow until there is none (hub-api.md §1.4). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Hub } from '../../hub/hub.ts'

/** Adds the link to the request's own address with another cursor; none after the last page. */
export function linkNextPage(hub: Hub, request: FastifyRequest, reply: FastifyReply, cursor: string | undefined): void {
  if (cursor === undefined) return
  const next = new URL(request.raw.url!, hub.config.publicUrl)
  next.searchParams.set('cursor', cursor)
  reply.header('link', `<${next.href}>; rel="next"`)
}
