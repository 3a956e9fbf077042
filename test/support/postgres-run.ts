/**
 * Holds the PostgreSQL of one test run: `postgres-run.ts <folder> <pid>` starts it in the folder, migrates the template,
 * writes `ready.json`, waits until the process of the run has gone, however it went, and leaves nothing behind.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createLogger } from '../../src/logger.ts'
import { type TestPostgres, withDatabase } from './postgres.ts'

const pollMs = 250
const [folder, runPid] = process.argv.slice(2)
const logger = createLogger('silent')
/** Many test files at once, none of which has to survive anything. */
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '500' }

const isAlive = () => {
  try {
    return process.kill(Number(runPid), 0)
  } catch {
    return false
  }
}

try {
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), logger, settings })
  await migrate(postgres.url, logger)
  const ready: TestPostgres = { adminUrl: withDatabase(postgres.url, 'postgres') }
  await writeFile(join(folder, 'ready.new'), JSON.stringify(ready))
  await rename(join(folder, 'ready.new'), join(folder, 'ready.json'))
  while (isAlive()) await sleep(pollMs)
  await postgres.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
