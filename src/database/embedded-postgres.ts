/**
 * Embedded PostgreSQL: a real PostgreSQL from an npm package, under DATA_DIR/postgres, for who sets no DATABASE_URL.
 *
 * Servers and commands share it. Each holds a session advisory lock (shared) while it uses it; whoever leaves last stops
 * it. It outlives a killed server, whose locks end with its connection, and the next start attaches to it.
 * It listens on a Unix socket only, in a folder that only its owner and root may enter: no port, no password.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { HoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import {
  type Cluster,
  findPostmaster,
  initCluster,
  port,
  startPostmaster,
  stopPostmaster,
  superuser,
} from './postgres-process.ts'
import { preparePostgresPrograms } from './postgres-programs.ts'
import { choosePostgresUser, isReachable } from './postgres-user.ts'

const databaseName = 'holdfast'
/** Advisory locks in the database `postgres`, where nothing else locks. */
const usersLock = 1
const serverLock = 2
/** Crash recovery replays at most what two checkpoints left. */
const startTimeoutMs = 120_000
/** The backends of a killed postmaster take a moment to notice; until then a new one refuses to start. */
const startRetryMs = 10_000
const pollMs = 25
/** A killed server's lock ends when its backend notices the closed socket. */
const claimRetryMs = 3_000

export interface EmbeddedPostgresOptions {
  dataDir: string
  logger: Logger
  /** Settings on top of ours, by their names in postgresql.conf. */
  settings?: Record<string, string>
  /** Told when PostgreSQL has gone away by itself, and with it the claim on the data folder. */
  onLost?: () => void
}

export interface EmbeddedPostgres {
  url: string
  /** For `serve`: makes this process the only server on the data folder. Throws Conflict if there is one already. */
  claimExclusive(): Promise<void>
  /** Leaves; stops PostgreSQL if nobody else uses it. */
  close(): Promise<void>
}

/**
 * Attaches to the PostgreSQL of `dataDir`, starting it if it does not run and making it if it does not exist. Close every
 * other connection before calling `close`. Throws Unavailable with a sentence that says what to change.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger } = options
  const cluster = await prepareCluster(options)
  const { client, socketFolder } = await joinUsers(cluster, logger)
  let isClosing = false
  client.on('error', () => {})
  client.on('end', () => {
    if (!isClosing) options.onLost?.()
  })
  await createDatabase(client)
  return {
    url: socketUrl(socketFolder, databaseName),
    claimExclusive: () => claimServer(client, options.dataDir),
    async close() {
      isClosing = true
      await leave(client, cluster, logger)
    },
  }
}

async function prepareCluster({ dataDir, logger, settings = {} }: EmbeddedPostgresOptions): Promise<Cluster> {
  await mkdir(dataDir, { recursive: true })
  // PostgreSQL works in the real folder, by which a living one is recognised.
  const folder = await realpath(dataDir)
  const dataFolder = join(folder, 'postgres')
  const user = await choosePostgresUser(dataFolder)
  if (user && !(await isReachable(folder, user))) {
    const message = `Started by root, PostgreSQL runs as the user ${user.name}, who cannot reach ${folder}. Make every folder above it searchable (chmod o+x), choose another DATA_DIR, or start Holdfast as an ordinary user.`
    throw new HoldfastError('Unavailable', { message })
  }
  const programs = await preparePostgresPrograms(folder, user)
  const cluster = { dataFolder, logPath: join(folder, 'postgres.log'), programs, user, settings }
  await initCluster(cluster)
  if (user) logger.debug({ user: user.name }, 'PostgreSQL does not run as root, but as an unprivileged user')
  return cluster
}

interface Guard {
  client: pg.Client
  socketFolder: string
}

/** A connection that holds the users' lock. PostgreSQL is started as often as it goes away meanwhile. */
async function joinUsers(cluster: Cluster, logger: Logger): Promise<Guard> {
  const deadline = Date.now() + startTimeoutMs
  let child: ChildProcess | undefined
  let firstFailure: number | undefined
  while (Date.now() < deadline) {
    const guard = await tryToJoin(cluster)
    if (guard) return guard
    const isStarting = child !== undefined && child.exitCode === null && child.signalCode === null
    if (!isStarting && !(await findPostmaster(cluster))) {
      if (child) firstFailure ??= Date.now()
      if (firstFailure !== undefined && Date.now() - firstFailure > startRetryMs) break
      if (child) await sleep(10 * pollMs)
      child = await startPostmaster(cluster)
      logger.debug({ pid: child.pid }, 'started embedded PostgreSQL')
    }
    await sleep(pollMs)
  }
  const log = await readFile(cluster.logPath, 'utf8').catch(() => '')
  const message = `PostgreSQL did not start on ${cluster.dataFolder}. Its log, ${cluster.logPath}, ends with:\n${log.slice(-1000)}`
  throw new HoldfastError('Unavailable', { message })
}

async function tryToJoin(cluster: Cluster): Promise<Guard | undefined> {
  const postmaster = await findPostmaster(cluster)
  if (!postmaster) return undefined
  const { socketFolder } = postmaster
  const client = new pg.Client({
    connectionString: socketUrl(socketFolder, 'postgres'),
    application_name: 'holdfast guard',
  })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select pg_advisory_lock_shared($1)', [usersLock])
    return { client, socketFolder }
  } catch {
    // Starting up, or stopped by the last user while we waited for the lock.
    await client.end().catch(() => {})
    return undefined
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName])
  if (rowCount === 1) return
  await client.query(`create database ${databaseName}`).catch((error: pg.DatabaseError) => {
    // duplicate_database, or the unique index under it: another process was first.
    if (error.code !== '42P04' && error.code !== '23505') throw error
  })
}

async function claimServer(client: pg.Client, dataDir: string): Promise<void> {
  const deadline = Date.now() + claimRetryMs
  for (;;) {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as claimed', [serverLock])
    if (rows[0].claimed) return
    if (Date.now() > deadline) break
    await sleep(10 * pollMs)
  }
  const message = `Another Holdfast server runs on ${dataDir}. Stop it first, or give this one another DATA_DIR. To run several servers, set DATABASE_URL and S3_ENDPOINT.`
  throw new HoldfastError('Conflict', { message })
}

/** Whoever gets the users' lock for itself alone is the last. Newcomers wait for it, lose their connection, start anew. */
async function leave(client: pg.Client, cluster: Cluster, logger: Logger): Promise<void> {
  try {
    await client.query('select pg_advisory_unlock_shared($1)', [usersLock])
    const { rows } = await client.query('select pg_try_advisory_lock($1) as alone', [usersLock])
    if (rows[0].alone) await stopPostmaster(cluster)
  } catch (error) {
    logger.warn({ err: error }, 'could not stop embedded PostgreSQL')
  } finally {
    await client.end().catch(() => {})
  }
}

function socketUrl(socketFolder: string, database: string): string {
  return `postgresql://${superuser}@localhost:${port}/${database}?host=${encodeURIComponent(socketFolder)}&sslmode=disable`
}
