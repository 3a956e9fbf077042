/** Who the caller is: what clients ask first (hub-api.md §2.1). */
import type { FastifyPluginAsync } from 'fastify'
import { getUser } from '../../hub/accounts.ts'
import type { Hub } from '../../hub/hub.ts'
import { listOrganizationsOf } from '../../hub/organizations.ts'
import type { UserPrincipal } from '../../hub/principal.ts'

/** The route `/api/whoami-v2`. */
export function whoamiRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.get('/api/whoami-v2', {
      config: { access: 'account' },
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store')
        return await describeUser(hub, request.principal as UserPrincipal)
      },
    })
  }
}

async function describeUser(hub: Hub, principal: UserPrincipal) {
  const { userId, userName, role, tokenName } = principal
  const [user, organizations] = await Promise.all([getUser(hub, userName), listOrganizationsOf(hub, userId)])
  return {
    type: 'user',
    id: userId,
    name: userName,
    fullname: userName,
    email: user.email,
    emailVerified: user.email !== null,
    isPro: false,
    canPay: false,
    avatarUrl: '',
    periodEnd: null,
    orgs: organizations.map((organization) => ({
      type: 'org',
      id: organization.namespaceId,
      name: organization.name,
      fullname: organization.name,
      roleInOrg: organization.role,
    })),
    // Clients know the roles read and write; a token of the role admin may write.
    auth: {
      type: tokenName === undefined ? 'password' : 'access_token',
      accessToken: { displayName: tokenName ?? 'password', role: role === 'read' ? 'read' : 'write' },
    },
  }
}
