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
import type { Hub } from './hub/hub.ts'
import { startJobs } from './jobs/runner.ts'
import { createLogger, type Logger } from './logger.ts'
import { createRepositories } from './repository/repositories.ts'

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

/** Opens database (migrated), bucket and disk for a command, a worker or a server. Everything opened is closed if one fails. */
export async function openHub(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<OpenedHub> {
  const { closeAll, opened } = closers()
  try {
    const { hub } = await openParts(config, logger, opened)
    return { hub, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Opens everything and listens. Refuses to be the second server on an embedded data folder. */
export async function startServer(
  config: Config,
  logger: Logger = createLogger(config.logLevel),
): Promise<RunningServer> {
  const { closeAll, opened } = closers()
  try {
    const { hub, databaseUrl } = await openParts(config, logger, opened, { isServer: true })
    if (config.jobs) opened(await startJobs(hub, databaseUrl))
    // Loaded here, as commands need no doors: they are two thirds of the time that loading everything takes.
    const { startListening } = await import('./http/listen.ts')
    const { url } = opened(await startListening(hub))
    return { hub, url, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Opens everything and runs background jobs until closed. */
export async function startWorker(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<OpenedHub> {
  const { closeAll, opened } = closers()
  try {
    const { hub, databaseUrl } = await openParts(config, logger, opened)
    opened(await startJobs(hub, databaseUrl))
    return { hub, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

type Opened = <T extends { close(): Promise<void> | void }>(part: T) => T

async function openParts(
  config: Config,
  logger: Logger,
  opened: Opened,
  { isServer = false } = {},
): Promise<{ hub: Hub; databaseUrl: string }> {
  const server = opened(await openDatabaseServer(config, logger))
  if (isServer) await server.claimExclusive()
  await migrate(server.url, logger)
  const database = opened(openDatabase(server.url, logger))
  const bucket = openBucket(config, logger)
  await bucket.probe()
  const disk = opened(
    await openDisk({ folder: join(config.dataDir, 'cache'), cacheMaxBytes: config.packCacheMaxBytes }),
  )
  const repositories = opened(createRepositories({ database, bucket, disk, limits: config.limits }))
  const secret = await readInstanceSecret(database)
  return { hub: { config, logger, database, bucket, repositories, secret }, databaseUrl: server.url }
}

async function openDatabaseServer(config: Config, logger: Logger): Promise<DatabaseServer> {
  if (config.databaseUrl === undefined) return startEmbeddedPostgres({ dataDir: config.dataDir, logger })
  // PostgreSQL by URL is the operator's: nothing to claim, nothing to stop, any number of servers.
  return { url: config.databaseUrl, claimExclusive: async () => {}, close: async () => {} }
}

function openBucket(config: Config, logger: Logger): Bucket {
  return config.s3 === undefined ? openFileBucket(join(config.dataDir, 'bucket')) : openS3Bucket(config.s3, logger)
}

/** Remembers what was opened; closes it in reverse. */
function closers(): { opened: Opened; closeAll(): Promise<void> } {
  const parts: { close(): Promise<void> | void }[] = []
  return {
    opened: (part) => {
      parts.push(part)
      return part
    },
    async closeAll() {
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) await part.close()
    },
  }
}
