/** The night shift: runs what pushes and the clock have asked for, by graphile-worker in the same database. */
import { parseCronItems, run, type Task } from 'graphile-worker'
import { jobLogger } from '../database/migrate.ts'
import type { Hub } from '../hub/hub.ts'
import { collectGarbageTask } from './collect-garbage.ts'
import { compactTask } from './compact.ts'

/** Runs jobs until closed; closing lets running ones finish. */
export async function startJobs(hub: Hub, databaseUrl: string): Promise<{ close(): Promise<void> }> {
  const taskList: Record<string, Task> = { compact: compactTask(hub), 'collect-garbage': collectGarbageTask(hub) }
  const runner = await run({
    connectionString: databaseUrl,
    maxPoolSize: 3,
    taskList,
    concurrency: 1,
    noHandleSignals: true,
    logger: jobLogger(hub.logger),
    // Otherwise a stop does not wait until the job that just ended is noted as done: it would run again, hours later.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    // Once an hour on one of the servers, whichever comes first.
    parsedCronItems: parseCronItems([{ task: 'collect-garbage', match: '17 * * * *', identifier: 'collect-garbage' }]),
  })
  let isOver = false
  // A runner that lost its database for good ends by itself. Its rejection stays unhandled, which ends the process: a
  // server that looks well while nothing is merged and collected would be worse.
  runner.promise.finally(() => {
    isOver = true
  })
  return { close: async () => (isOver ? undefined : await runner.stop()) }
}
