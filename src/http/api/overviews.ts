/** Users and organizations as the Hub describes them, and who belongs to an organization (hub-api.md §2.1). */
import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import { listMembersOf, listOrganizationsOf } from '../../hub/organizations.ts'
import { openOverview } from '../../hub/overviews.ts'
import type { Principal } from '../../hub/principal.ts'

const NameParams = Type.Object({ name: Type.String() })
interface NameParams {
  name: string
}

/** The routes `/api/users/{name}/overview`, `/api/organizations/{name}/overview` and `…/members`. */
export function overviewRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
    server.get('/api/users/:name/overview', {
      config: { access: 'public' },
      schema: { summary: 'A user and what they have', params: NameParams },
      handler: (request) => describeUser(hub, request.principal, (request.params as NameParams).name),
    })
    server.get('/api/organizations/:name/overview', {
      config: { access: 'public' },
      schema: { summary: 'An organization and what it has', params: NameParams },
      handler: (request) => describeOrganization(hub, request.principal, (request.params as NameParams).name),
    })
    server.get('/api/organizations/:name/members', {
      // Who works with whom is told to those who work here.
      config: { access: 'account' },
      schema: { summary: 'The members of an organization', params: NameParams },
      handler: async (request) => {
        const members = await listMembersOf(hub, (request.params as NameParams).name)
        return members.map(({ name, role, userId }) => ({
          _id: userId,
          user: name,
          fullname: name,
          avatarUrl: '',
          type: 'user',
          isPro: false,
          role,
        }))
      },
    })
  }
}

async function describeUser(hub: Hub, principal: Principal, userName: string) {
  const { id, name, counts, createdAt } = await openOverview(hub, principal, userName, 'user')
  const isOwn = principal.kind === 'user' && principal.userId === id
  const organizations = isOwn ? await listOrganizationsOf(hub, principal.userId) : []
  return {
    _id: id,
    user: name,
    fullname: name,
    type: 'user',
    isPro: false,
    avatarUrl: '',
    createdAt: createdAt.toISOString(),
    orgs: organizations.map((organization) => ({
      name: organization.name,
      fullname: organization.name,
      avatarUrl: '',
    })),
    ...counts,
    numFollowers: 0,
    numFollowing: 0,
  }
}

async function describeOrganization(hub: Hub, principal: Principal, organizationName: string) {
  const { id, name, counts, createdAt } = await openOverview(hub, principal, organizationName, 'organization')
  const members = principal.kind === 'user' ? await listMembersOf(hub, name) : undefined
  return {
    _id: id,
    name,
    fullname: name,
    type: 'org',
    avatarUrl: '',
    createdAt: createdAt.toISOString(),
    numUsers: members?.length,
    ...counts,
    numFollowers: 0,
  }
}
