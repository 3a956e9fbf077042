/** The Hub API: the calls of huggingface_hub, in the shapes of its clients. */
import type { FastifyPluginAsync } from 'fastify'
import { countDownloads } from '../../hub/downloads.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Transfers } from '../limits.ts'
import { commitRoutes } from './commit.ts'
import { commitsRoutes } from './commits.ts'
import { duplicateRoutes } from './duplicate.ts'
import { sendApiError } from './errors.ts'
import { lfsFilesRoutes } from './lfs-files.ts'
import { likeRoutes } from './likes.ts'
import { listRoutes } from './lists.ts'
import { overviewRoutes } from './overviews.ts'
import { pathsInfoRoutes } from './paths-info.ts'
import { preuploadRoutes } from './preupload.ts'
import { refRoutes } from './refs.ts'
import { repoInfoRoutes } from './repo-info.ts'
import { repoRoutes } from './repos.ts'
import { resolveRoutes } from './resolve.ts'
import { superSquashRoutes } from './super-squash.ts'
import { treeRoutes } from './tree.ts'
import { validateYamlRoutes } from './validate-yaml.ts'
import { whoamiRoutes } from './whoami.ts'

/** All routes of the Hub API. */
export function apiRoutes(hub: Hub, transfers: Transfers): FastifyPluginAsync {
  return async (server) => {
    server.setErrorHandler(sendApiError)
    const downloads = countDownloads(hub)
    server.addHook('onClose', () => downloads.close())
    const all = [
      whoamiRoutes,
      overviewRoutes,
      repoRoutes,
      repoInfoRoutes,
      listRoutes,
      likeRoutes,
      validateYamlRoutes,
      treeRoutes,
      pathsInfoRoutes,
      lfsFilesRoutes,
      preuploadRoutes,
      refRoutes,
      commitsRoutes,
      superSquashRoutes,
    ]
    for (const routes of all) await server.register(routes(hub))
    await server.register(resolveRoutes(hub, downloads))
    for (const routes of [commitRoutes, duplicateRoutes]) await server.register(routes(hub, transfers))
  }
}
