/** The Hub API: the calls of huggingface_hub, in the shapes of its clients. */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'
import { sendApiError } from './errors.ts'

export function apiRoutes(_hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendApiError)
  }
}
