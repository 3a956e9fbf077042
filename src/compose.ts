/**
 * The only file that knows the deployment: it chooses database and bucket by what is configured, and puts the parts
 * together in the order in which they depend on each other. Closing goes the other way.
 */
import { join } from 'node:path'
import type { Bucket } from './bucket/bucket.ts'
import { openFileBucket } from './bucket/file-bucket.ts'
import { openS3Bucket } from './bucket/s3-bucket.ts'
import type { Config } from './config.ts'
import { openDatabase } from './database/database.ts'
import { startEmbeddedPostgres } from './database/embedded-postgres.ts'
import { readInstanceSecret } from './database/instance.ts'
import { migrate } from './database/migrate.ts'
import { openDisk } from './disk/local-disk.ts'
import { raiseThreadPriority } from './disk/thread-priority.ts'
import type { FormatTasks } from './formats/worker.ts'
import type { GitTasks } from './git/worker.ts'
import type { Hub } from './hub/hub.ts'
import { startJobs } from './jobs/runner.ts'
import { createLogger, type Logger } from './logger.ts'
import { ReceiveMemory } from './repository/receive-memory.ts'
import { createRepositories } from './repository/repositories.ts'
import { openThreadPool } from './threads/pool.ts'

/** A hub and what it stands on, open. */
export interface OpenedHub {
  hub: Hub
  close(): Promise<void>
}

/** A server that answers, at `url`. */
export interface RunningServer extends OpenedHub {
  url: string
}

interface DatabaseServer {
  url: string
  claimExclusive(): Promise<void>
  close(): Promise<void>
}

export interface ComposeOptions {
  logger?: Logger
  /** Told when an embedded PostgreSQL has gone away by itself, and with it the claim on the data folder. */
  onDatabaseLost?: () => void
}

/** Opens database (migrated), bucket and disk for a command. Whatever was opened is closed if one part fails. */
export function openHub(config: Config, options: ComposeOptions = {}): Promise<OpenedHub> {
  return openTogether(async (opened) => {
    const { hub } = await openParts(config, opened, options)
    return { hub }
  })
}

/** Opens everything and listens. Refuses to be the second server on an embedded data folder. */
export function startServer(config: Config, options: ComposeOptions = {}): Promise<RunningServer> {
  return openTogether(async (opened) => {
    const { hub, databaseUrl } = await openParts(config, opened, { ...options, isServer: true })
    if (config.jobs) opened(await startJobs(hub, databaseUrl))
    // Loaded here, as commands need no doors: they are two thirds of the time that loading everything takes.
    const { startListening } = await import('./http/listen.ts')
    const { url } = opened(await startListening(hub))
    // After PostgreSQL and the threads were started, which would take it over.
    raiseThreadPriority()
    return { hub, url }
  })
}

/** Opens everything and runs background jobs until closed. */
export function startWorker(config: Config, options: ComposeOptions = {}): Promise<OpenedHub> {
  return openTogether(async (opened) => {
    const { hub, databaseUrl } = await openParts(config, opened, options)
    opened(await startJobs(hub, databaseUrl))
    return { hub }
  })
}

type Opened = <T extends { close(): Promise<void> | void }>(part: T) => T

async function openParts(
  config: Config,
  opened: Opened,
  { logger = createLogger(config.logLevel), onDatabaseLost, isServer = false }: ComposeOptions & { isServer?: boolean },
): Promise<{ hub: Hub; databaseUrl: string }> {
  const server = opened(await openDatabaseServer(config, logger, onDatabaseLost))
  if (isServer) await server.claimExclusive()
  await migrate(server.url, logger)
  const database = opened(openDatabase(server.url, logger))
  const bucket = openBucket(config, logger)
  await bucket.probe()
  const disk = opened(
    await openDisk({
      folder: join(config.dataDir, 'cache'),
      cacheMaxBytes: config.packCacheMaxBytes,
      spoolMaxBytes: config.spoolMaxBytes,
    }),
  )
  const workers = opened(
    openThreadPool<GitTasks & FormatTasks>({
      entry: new URL('./worker.ts', import.meta.url),
      size: config.workerThreads,
      logger,
      startsNow: isServer,
    }),
  )
  const receiveMemory = new ReceiveMemory(config.limits.receiveMemoryMaxBytes)
  const repositories = opened(
    createRepositories({ database, bucket, disk, workers, receiveMemory, limits: config.limits }),
  )
  const secret = await readInstanceSecret(database)
  return { hub: { config, logger, database, bucket, repositories, workers, secret }, databaseUrl: server.url }
}

async function openDatabaseServer(config: Config, logger: Logger, onLost?: () => void): Promise<DatabaseServer> {
  if (config.databaseUrl === undefined) return startEmbeddedPostgres({ dataDir: config.dataDir, logger, onLost })
  // PostgreSQL by URL is the operator's: nothing to claim, nothing to stop, any number of servers.
  return { url: config.databaseUrl, claimExclusive: async () => {}, close: async () => {} }
}

function openBucket(config: Config, logger: Logger): Bucket {
  return config.s3 === undefined ? openFileBucket(join(config.dataDir, 'bucket')) : openS3Bucket(config.s3, logger)
}

/** Remembers what `open` opens: closes it in reverse, all of it whatever fails, at once if `open` fails. */
async function openTogether<T>(open: (opened: Opened) => Promise<T>): Promise<T & { close(): Promise<void> }> {
  const parts: { close(): Promise<void> | void }[] = []
  async function close(): Promise<void> {
    const failures: unknown[] = []
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await part.close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    const result = await open((part) => {
      parts.push(part)
      return part
    })
    return { ...result, close }
  } catch (error) {
    // Why it failed to open matters more than what then failed to close.
    await close().catch(() => {})
    throw error
  }
}
