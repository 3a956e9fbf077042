/** The pages. */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'

export function webRoutes(_hub: Hub): FastifyPluginAsync {
  return async () => {}
}
