/** The night shift: runs what pushes and the clock have asked for, by graphile-worker in the same database. */
import { Logger as GraphileLogger, parseCronItems, run, type Task } from 'graphile-worker'
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
    logger: jobLogger(hub),
    // Once an hour on one of the servers, whichever comes first.
    parsedCronItems: parseCronItems([{ task: 'collect-garbage', match: '17 * * * *', identifier: 'collect-garbage' }]),
  })
  return { close: () => runner.stop() }
}

/** The job runner's log lines, in ours; its own chatter is for debugging. */
function jobLogger({ logger }: Hub): GraphileLogger {
  return new GraphileLogger(() => (level, message) => {
    if (level === 'error') logger.error(message)
    else if (level === 'warning') logger.warn(message)
    else logger.debug(message)
  })
}
