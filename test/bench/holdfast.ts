/** Holdfast's side: a server as an operator starts it, whose processes, database and background jobs can be watched. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { createAccount, startTestServer, type TestAccount, type TestServer } from '../support/test-server.ts'
import { type Bench, shared } from './bench-run.ts'
import { type Processes, processTree } from './processes.ts'

export interface Holdfast {
  server: TestServer
  account: TestAccount
  /** PostgreSQL's included. */
  processes: Processes
  database: pg.Client
  /** Makes an empty repository, and returns its address with the account's token in it. */
  addRepository(name: string): Promise<string>
  /** What HEAD names there, in the words of git: `refs/heads/…`. */
  setHead(name: string, ref: string): Promise<void>
  /** Waits until no background job is due or running. */
  settle(): Promise<void>
}

const settleWithinMs = 10 * 60_000
const settlePollMs = 200

/** What all servers of a run are told: files in Git may be as large as those of the table. */
export const benchSettings = { GIT_BLOB_MAX_BYTES: String(2 ** 30) }

/** The default deployment: embedded PostgreSQL, bytes in a folder. */
export const embeddedOf = shared(async (bench, name: 'embedded'): Promise<Holdfast> => {
  const dataDir = join(bench.folder, name)
  const server = await startTestServer(bench, { ...benchSettings, DATA_DIR: dataDir })
  return openHoldfast(bench, server, readPostmaster(dataDir))
})

/** The PostgreSQL that runs on a data folder, as its lock file names it. */
export function readPostmaster(dataDir: string): { host: string; pid: number } {
  const lines = readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')
  return { pid: Number(lines[0]), host: lines[4] }
}

/** A running server with a user of its own and a connection to its database. */
export async function openHoldfast(
  bench: Bench,
  server: TestServer,
  postmaster: { host: string; pid: number },
): Promise<Holdfast> {
  const account = await createAccount(server, 'ada')
  const database = new pg.Client({ host: postmaster.host, user: 'holdfast', database: 'holdfast' })
  await database.connect()
  bench.teardown(() => database.end())
  return {
    server,
    account,
    database,
    processes: processTree(() => [server.pid(), postmaster.pid]),
    async addRepository(name) {
      await server.holdfast('repo', 'create', 'model', `ada/${name}`)
      return server.repoUrl(account, `ada/${name}`)
    },
    async setHead(name, ref) {
      await server.holdfast('repo', 'default-branch', `ada/${name}`, ref.replace('refs/heads/', ''))
    },
    settle: () => settle(database),
  }
}

async function settle(database: pg.Client): Promise<void> {
  const deadline = Date.now() + settleWithinMs
  for (;;) {
    const { rows } = await database.query<{ task: string }>(
      `select task_identifier as task from graphile_worker.jobs
       where locked_at is not null or (run_at < now() + interval '1 minute' and attempts < max_attempts)`,
    )
    if (rows.length === 0) return
    if (Date.now() > deadline) throw new Error(`Jobs do not end: ${rows.map(({ task }) => task).join(', ')}`)
    await pause(settlePollMs)
  }
}
