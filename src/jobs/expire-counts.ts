/** Takes what has become old out of the counts of the last days, once a day. */
import type { Task } from 'graphile-worker'
import { expireCounts } from '../hub/downloads.ts'
import type { Hub } from '../hub/hub.ts'

/** The task `expire-counts`, without a payload. */
export function expireCountsTask(hub: Hub): Task {
  return async () => await expireCounts(hub)
}
