/** Who the caller is, and what they may do with a repository: what clients ask first (hub-api.md §2.1). */
import type { FastifyPluginAsync } from 'fastify'
import { getUser } from '../../hub/accounts.ts'
import type { Hub } from '../../hub/hub.ts'
import { listOrganizationsOf } from '../../hub/organizations.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import { apiRepoRoute } from '../repo-route.ts'

/** The routes `/api/whoami-v2`, `…/auth-check` and `…/auth-check/write`. */
export function whoamiRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.route({
      method: ['GET', 'HEAD'],
      url: '/api/whoami-v2',
      config: { access: 'account' },
      schema: { summary: 'Who the caller is' },
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store')
        return await describeUser(hub, request.principal as UserPrincipal)
      },
    })
    for (const [path, access] of [
      ['/auth-check', 'read'],
      ['/auth-check/write', 'write'],
    ] as const) {
      apiRepoRoute(server, {
        method: 'GET',
        path,
        access,
        schema: { summary: `Whether the caller has ${access} access to the repository` },
        // The answer is that there is one: refusals come before it.
        handler: async (_request, reply) => reply.header('cache-control', 'no-store').send({}),
      })
    }
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
    billingMode: 'prepaid',
    orgs: organizations.map((organization) => ({
      type: 'org',
      id: organization.namespaceId,
      name: organization.name,
      fullname: organization.name,
      email: null,
      canPay: false,
      isEnterprise: false,
      avatarUrl: '',
      periodEnd: null,
      roleInOrg: organization.role,
    })),
    // Clients know the roles read and write; a token of the role admin may write.
    auth: {
      type: tokenName === undefined ? 'password' : 'access_token',
      accessToken: { displayName: tokenName ?? 'password', role: role === 'read' ? 'read' : 'write' },
    },
  }
}
