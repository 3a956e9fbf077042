/** A whole hub with all its doors, over an empty database and a file bucket of its own, and the people who come to it. */
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { openFileBucket } from '../../src/bucket/file-bucket.ts'
import { type Limits, readConfig } from '../../src/config.ts'
import type { Database } from '../../src/database/queryable.ts'
import { openDisk } from '../../src/disk/local-disk.ts'
import { startListening } from '../../src/http/listen.ts'
import { createServer } from '../../src/http/server.ts'
import { createUser } from '../../src/hub/accounts.ts'
import type { Hub } from '../../src/hub/hub.ts'
import type { Role } from '../../src/hub/principal.ts'
import type { RepoName, Visibility } from '../../src/hub/repo.ts'
import { createRepo } from '../../src/hub/repos.ts'
import { createToken } from '../../src/hub/tokens.ts'
import { createLogger, type Logger } from '../../src/logger.ts'
import { ReceiveMemory } from '../../src/repository/receive-memory.ts'
import { createRepositories } from '../../src/repository/repositories.ts'
import { temporaryFolder } from './git.ts'
import { createTestDatabase } from './postgres.ts'
import { openWorkers, workersHere } from './workers.ts'

export interface HouseOptions {
  limits?: Partial<Limits>
  /** What all packs on their way in may take together. */
  spoolMaxBytes?: number
  /** Of the local cache of packs. */
  cacheMaxBytes?: number
  logger?: Logger
  /** Worker threads; without it their work runs on the event loop. */
  threads?: number
  /** Stands before the file bucket. */
  bucket?: (bucket: Bucket) => Bucket
  /** Stands before the database. */
  database?: (database: Database) => Database
}

export interface Person {
  name: string
  token: string
  /** The headers that sign a request of theirs. */
  headers: { authorization: string }
}

/** A hub without a server. */
export async function openHouse(t: Test, options: HouseOptions = {}): Promise<Hub & { databaseUrl: string }> {
  const { database: real, url: databaseUrl } = await createTestDatabase(t)
  const database = options.database?.(real) ?? real
  const folder = temporaryFolder(t, 'house')
  const config = readConfig({ PORT: '0', DATA_DIR: folder })
  Object.assign(config.limits, options.limits)
  const files = openFileBucket(join(folder, 'bucket'))
  await files.probe()
  const bucket = options.bucket?.(files) ?? files
  const disk = await openDisk({
    folder: join(folder, 'cache'),
    cacheMaxBytes: options.cacheMaxBytes ?? 2 ** 30,
    spoolMaxBytes: options.spoolMaxBytes ?? 2 ** 30,
  })
  const workers = options.threads === undefined ? workersHere() : openWorkers(t, options.threads)
  const receiveMemory = new ReceiveMemory(config.limits.receiveMemoryMaxBytes)
  const repositories = createRepositories({ database, bucket, disk, workers, receiveMemory, limits: config.limits })
  t.teardown(async () => {
    repositories.close()
    await disk.close()
  })
  return {
    config,
    logger: options.logger ?? createLogger('silent'),
    database,
    bucket,
    repositories,
    workers,
    secret: Buffer.alloc(32, 7),
    databaseUrl,
  }
}

/** A server for `server.inject`. */
export async function openDoors(t: Test, hub: Hub): Promise<FastifyInstance> {
  const server = createServer(hub)
  await server.ready()
  t.teardown(() => server.close())
  return server
}

/** A server on a port of its own; resolves to its address. */
export async function listen(t: Test, hub: Hub): Promise<URL> {
  const listening = await startListening(hub)
  t.teardown(() => listening.close())
  return new URL(listening.url)
}

export async function addPerson(
  hub: Hub,
  name: string,
  { role = 'admin', isAdmin = false }: { role?: Role; isAdmin?: boolean } = {},
): Promise<Person> {
  await createUser(hub, { name, isAdmin })
  const token = await createToken(hub, { userName: name, role, name: 'test' })
  return { name, token, headers: { authorization: `Bearer ${token}` } }
}

/** An empty repository, as the command line makes it. */
export async function addRepo(
  hub: Hub,
  owner: Person,
  name: string,
  { visibility = 'public', type = 'model' }: { visibility?: Visibility; type?: RepoName['type'] } = {},
) {
  return await createRepo(hub, { kind: 'operator' }, { type, namespace: owner.name, name }, visibility)
}

/** The address with which git signs in as `person`. */
export function gitUrl(server: URL, person: Person | undefined, path: string): string {
  const signIn = person === undefined ? '' : `${person.name}:${person.token}@`
  return `${server.protocol}//${signIn}${server.host}/${path}`
}
