/** The hourly sweep: bytes whose rows are gone and bytes that never got one, once nobody can be using them. */
import type { Task } from 'graphile-worker'
import { collectGarbage } from '../hub/gc.ts'
import type { Hub } from '../hub/hub.ts'

/** The task `collect-garbage`, without a payload. */
export function collectGarbageTask(hub: Hub): Task {
  return async () => {
    hub.logger.info(await collectGarbage(hub), 'collected garbage')
  }
}
