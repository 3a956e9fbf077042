/**
 * A database for a test file. One PostgreSQL serves all test files of a run; it is started by the first that asks, in a
 * process of its own (postgres-run.ts), and goes when the run does.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openDatabase } from '../../src/database/database.ts'
import type { Database } from '../../src/database/queryable.ts'
import { createLogger } from '../../src/logger.ts'

/** What `postgres-run.ts` writes to `ready.json`: urls of the template, and of the database to administer from. */
export interface TestPostgres {
  adminUrl: string
}

export const templateName = 'holdfast'
const startTimeoutMs = 60_000
const pollMs = 50

/** The part of a tap test that is needed here. */
export interface Teardown {
  teardown(run: () => Promise<unknown>): unknown
}

export interface TestDatabase {
  url: string
  database: Database
}

/** An empty, migrated database of its own, dropped at the end of the test `t`. */
export async function createTestDatabase(t: Teardown): Promise<TestDatabase> {
  const { adminUrl } = await findPostgres()
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(adminUrl, `create database ${name} template ${templateName}`)
  const url = withDatabase(adminUrl, name)
  const database = openDatabase(url, createLogger('silent'))
  t.teardown(async () => {
    await database.close()
    await administer(adminUrl, `drop database ${name} with (force)`)
  })
  return { url, database }
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** The url of another database on the same server. */
export function withDatabase(url: string, name: string): string {
  return url.replace(/(\/\/[^/]+\/)[^?]*/, `$1${name}`)
}

/** The PostgreSQL of this run; of this process where it was not started by tap. */
async function findPostgres(): Promise<TestPostgres> {
  const runPid = process.env.TAP === '1' ? process.ppid : process.pid
  // Numbers of processes come again, and with them the folder of a run that was killed.
  const folder = join(tmpdir(), `holdfast-test-${process.env.HOLDFAST_TEST_RUN ?? runPid}`)
  if (await makeFolder(folder)) {
    const program = fileURLToPath(new URL('./postgres-run.ts', import.meta.url))
    spawn(process.execPath, [program, folder, String(runPid)], {
      detached: true,
      stdio: 'ignore',
      env: { PATH: process.env.PATH },
    }).unref()
  }
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const text = await readFile(join(folder, 'ready.json'), 'utf8').catch(() => undefined)
    if (text !== undefined) return JSON.parse(text)
    if (Date.now() > deadline) throw new Error(`PostgreSQL for tests did not start in ${folder}`)
    await sleep(pollMs)
  }
}

/** True for the one process that made it. */
async function makeFolder(folder: string): Promise<boolean> {
  return mkdir(folder, { mode: 0o755 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}
