/** Repositories through the Hub API: made and deleted (hub-api.md §2.2). */
import type { FastifyPluginAsync } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import { createStartedRepo } from '../../hub/initial-commit.ts'
import { openRepo } from '../../hub/open-repo.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import type { RepoName } from '../../hub/repo.ts'
import { deleteRepo, repoUrl } from '../../hub/repos.ts'

const RepoAddress = Type.Object({
  name: Type.String(),
  /** Absent or null: the caller's own namespace. */
  organization: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  type: Type.Optional(Type.Union([Type.Literal('model'), Type.Literal('dataset'), Type.Literal('space'), Type.Null()])),
})

const CreateRequest = Type.Intersect([
  RepoAddress,
  Type.Object({
    visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private'), Type.Null()])),
    /** How older clients say it. */
    private: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  }),
])

/** The routes that make and delete repositories. */
export function repoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.post('/api/repos/create', {
      config: { access: 'account' },
      schema: { body: CreateRequest },
      handler: (request) =>
        create(hub, request.principal as UserPrincipal, request.body as Static<typeof CreateRequest>),
    })
    server.delete('/api/repos/delete', {
      config: { access: 'account' },
      schema: { body: RepoAddress },
      handler: async (request, reply) => {
        const name = readAddress(request.principal as UserPrincipal, request.body as Static<typeof RepoAddress>)
        await deleteRepo(hub, await openRepo(hub, request.principal, name, 'admin'))
        return reply.type('text/plain; charset=utf-8').send('OK')
      },
    })
  }
}

async function create(hub: Hub, principal: UserPrincipal, body: Static<typeof CreateRequest>) {
  const name = readAddress(principal, body)
  const visibility = body.visibility ?? (body.private === true ? 'private' : 'public')
  const repo = await createStartedRepo(hub, principal, name, visibility)
  const id = `${repo.namespace}/${repo.name}`
  return { url: repoUrl(hub, repo), name: id, id }
}

/** Clients send the namespace apart, or before the name. */
function readAddress(principal: UserPrincipal, body: Static<typeof RepoAddress>): RepoName {
  const slash = body.name.indexOf('/')
  const namespace = slash < 0 ? body.organization || principal.userName : body.name.slice(0, slash)
  return { type: body.type ?? 'model', namespace, name: body.name.slice(slash + 1) }
}
