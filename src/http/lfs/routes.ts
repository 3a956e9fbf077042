/** The Git LFS door. */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'

export function lfsRoutes(_hub: Hub): FastifyPluginAsync {
  return async () => {}
}
