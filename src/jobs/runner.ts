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
    // Once an hour on one of the servers, whichever comes first.
    parsedCronItems: parseCronItems([{ task: 'collect-garbage', match: '17 * * * *', identifier: 'collect-garbage' }]),
  })
  let isOver = false
  // A runner that lost its database for long ends by itself; whoever waits for it reads why.
  const over = runner.promise.finally(() => {
    isOver = true
  })
  over.catch((error: unknown) => hub.logger.error({ err: error }, 'background jobs have stopped'))
  return { close: async () => (isOver ? undefined : await runner.stop()) }
}
