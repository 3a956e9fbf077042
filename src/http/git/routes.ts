/** Git smart HTTP (gitprotocol-http). */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'

export function gitRoutes(_hub: Hub): FastifyPluginAsync {
  return async () => {}
}
