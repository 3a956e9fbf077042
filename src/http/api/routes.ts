/** The Hub API: the calls of huggingface_hub, in the shapes of its clients. */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../../hub/hub.ts'
import type { Transfers } from '../limits.ts'
import { commitRoutes } from './commit.ts'
import { sendApiError } from './errors.ts'
import { listRoutes } from './lists.ts'
import { overviewRoutes } from './overviews.ts'
import { pathsInfoRoutes } from './paths-info.ts'
import { preuploadRoutes } from './preupload.ts'
import { repoInfoRoutes } from './repo-info.ts'
import { repoRoutes } from './repos.ts'
import { resolveRoutes } from './resolve.ts'
import { treeRoutes } from './tree.ts'
import { whoamiRoutes } from './whoami.ts'

/** All routes of the Hub API. */
export function apiRoutes(hub: Hub, transfers: Transfers): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendApiError)
    const all = [
      whoamiRoutes,
      overviewRoutes,
      repoRoutes,
      repoInfoRoutes,
      listRoutes,
      treeRoutes,
      pathsInfoRoutes,
      resolveRoutes,
      preuploadRoutes,
    ]
    for (const routes of all) await server.register(routes(hub))
    await server.register(commitRoutes(hub, transfers))
  }
}
