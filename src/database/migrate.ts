/** Brings the schema up to date: our migrations/*.sql, then the tables of the job runner. */
import { fileURLToPath } from 'node:url'
import { Logger as GraphileLogger, runMigrations } from 'graphile-worker'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Logger } from '../logger.ts'
import { asUnavailable } from './database.ts'

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))
/** Any number that nobody else locks in this database. */
const migrationLock = '5154712093714533'

/**
 * Runs what has not run yet, each set in one transaction. Any number of servers may call this at once: one migrates, the
 * others wait for it and find nothing to do. Rejects when a migration fails or when the database is newer than this code.
 */
export async function migrate(url: string, logger: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'holdfast migrate' })
  // A connection lost between two statements would end the process; the next statement reports it.
  client.on('error', () => {})
  await client.connect().catch((error) => {
    throw asUnavailable(error)
  })
  try {
    // One lock around both sets: each has its own way of meeting a second runner, and the job runner's waits and retries.
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    const done = await runner({
      dbClient: client,
      dir: migrationsFolder,
      migrationsTable: 'migrations',
      direction: 'up',
      singleTransaction: true,
      noLock: true,
      logger: {
        debug: () => {},
        info: () => {},
        warn: (text) => logger.warn(text),
        error: (text) => logger.error(text),
      },
    })
    await runMigrations({ connectionString: url, logger: jobLogger(logger) })
    if (done.length > 0) logger.info({ migrations: done.map(({ name }) => name) }, 'migrated the database')
  } finally {
    await client.end()
  }
}

/** The job runner's log lines, in ours; its own chatter is for debugging. */
export function jobLogger(logger: Logger): GraphileLogger {
  return new GraphileLogger(() => (level, message) => {
    if (level === 'error') logger.error(message)
    else if (level === 'warning') logger.warn(message)
    else logger.debug(message)
  })
}
