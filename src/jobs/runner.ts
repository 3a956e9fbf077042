/** The night shift: runs what pushes and the clock have asked for, by graphile-worker in the same database. */
import { type CronItem, parseCronItems, run, type Task } from 'graphile-worker'
import { jobLogger } from '../database/migrate.ts'
import type { Hub } from '../hub/hub.ts'
import { collectGarbageTask } from './collect-garbage.ts'
import { compactTask } from './compact.ts'
import { expireCountsTask } from './expire-counts.ts'
import { readMetadataTask } from './read-metadata.ts'

/**
 * Runs jobs until closed; closing lets running ones finish. What people wait to see has a runner of its own: a compaction
 * may take minutes.
 */
export async function startJobs(hub: Hub, databaseUrl: string): Promise<{ close(): Promise<void> }> {
  const slow = { compact: compactTask(hub), 'collect-garbage': collectGarbageTask(hub) }
  const quick = { 'read-metadata': readMetadataTask(hub), 'expire-counts': expireCountsTask(hub) }
  // Once an hour, and once a day, on one of the servers, whichever comes first.
  const sweeping = { task: 'collect-garbage', match: '17 * * * *', identifier: 'collect-garbage' }
  const expiring = { task: 'expire-counts', match: '7 0 * * *', identifier: 'expire-counts' }
  const runners = await Promise.all([
    startRunner(hub, databaseUrl, { taskList: slow, crontab: [sweeping] }),
    startRunner(hub, databaseUrl, { taskList: quick, crontab: [expiring] }),
  ])
  return { close: async () => void (await Promise.all(runners.map((runner) => runner.close()))) }
}

interface Shift {
  taskList: Record<string, Task>
  crontab: CronItem[]
}

async function startRunner(
  hub: Hub,
  databaseUrl: string,
  { taskList, crontab }: Shift,
): Promise<{ close(): Promise<void> }> {
  const runner = await run({
    connectionString: databaseUrl,
    maxPoolSize: 3,
    taskList,
    concurrency: 1,
    noHandleSignals: true,
    logger: jobLogger(hub.logger),
    // Otherwise a stop does not wait until the job that just ended is noted as done: it would run again, hours later.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    parsedCronItems: parseCronItems(crontab),
  })
  let isOver = false
  // A runner that lost its database for good ends by itself. Its rejection stays unhandled, which ends the process: a
  // server that looks well while nothing is merged and collected would be worse.
  runner.promise.finally(() => {
    isOver = true
  })
  return { close: async () => (isOver ? undefined : await runner.stop()) }
}
