/** Likes of repositories (hub-api.md §2.12). */
import type { FastifyPluginAsync } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Hub } from '../../hub/hub.ts'
import { pageOfLikers, pageOfLikes, setLike } from '../../hub/likes.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { linkNextPage } from './next-page.ts'

const PageQuery = Type.Object({ cursor: Type.Optional(Type.String()) })
type PageQuery = Static<typeof PageQuery>

/** The routes `/api/{T}/{id}/like`, `/api/{T}/{id}/likers` and `/api/users/{user}/likes`. */
export function likeRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    for (const [method, isLiked] of [
      ['POST', true],
      ['DELETE', false],
    ] as const) {
      apiRepoRoute(server, {
        method,
        path: '/like',
        access: 'read',
        handler: async (request) => {
          await setLike(hub, request.principal, request.repo, isLiked)
          return { success: true }
        },
      })
    }
    apiRepoRoute(server, {
      method: 'GET',
      path: '/likers',
      access: 'read',
      schema: { querystring: PageQuery },
      handler: async (request, reply) => {
        const { rows, next } = await pageOfLikers(hub, request.repo, (request.query as PageQuery).cursor)
        linkNextPage(hub, request, reply.header('cache-control', 'no-store'), next)
        return rows.map(({ user }) => ({ type: 'user', user, fullname: user, avatarUrl: '' }))
      },
    })
    server.get('/api/users/:user/likes', {
      config: { access: 'public' },
      schema: { querystring: PageQuery },
      handler: async (request, reply) => {
        const { user: userName } = request.params as { user: string }
        const { cursor } = request.query as PageQuery
        const { rows, next } = await pageOfLikes(hub, request.principal, { userName, cursor })
        linkNextPage(hub, request, reply.header('cache-control', 'no-store'), next)
        return rows.map(({ likedAt, name, type }) => ({ createdAt: likedAt.toISOString(), repo: { name, type } }))
      },
    })
  }
}
