/** A hub with accounts, repositories and a bucket behind its HTTP doors, and the words of an LFS client. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FastifyInstance, fastify, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { openFileBucket } from '../../src/bucket/file-bucket.ts'
import { type Limits, readConfig } from '../../src/config.ts'
import type { Database } from '../../src/database/queryable.ts'
import { insertRepo } from '../../src/database/repos.ts'
import { decideAccessOnRoutes } from '../../src/http/access.ts'
import { authenticateRequests } from '../../src/http/authentication.ts'
import { bytesRoutes } from '../../src/http/bytes/routes.ts'
import { lfsRoutes } from '../../src/http/lfs/routes.ts'
import { createUser } from '../../src/hub/accounts.ts'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { grantLfs } from '../../src/hub/lfs-presence.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import type { Role, UserPrincipal } from '../../src/hub/principal.ts'
import type { Repo, RepoName } from '../../src/hub/repo.ts'
import { createToken } from '../../src/hub/tokens.ts'
import type { BatchObject, BatchResponse } from '../../src/lfs/batch.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from './postgres.ts'

export const lfsMediaType = 'application/vnd.git-lfs+json'

export interface Content {
  oid: string
  size: number
  bytes: Buffer
}

export function contentOf(bytes: Buffer): Content {
  return { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, bytes }
}

export function randomContent(sizeBytes = 100): Content {
  return contentOf(randomBytes(sizeBytes))
}

export interface Person {
  principal: UserPrincipal
  /** The value of an Authorization header. */
  authorization: string
}

export interface LfsHouse {
  hub: Hub
  server: FastifyInstance
  /** How many statements were run so far. */
  statements(): number
  addPerson(name: string, options?: { role?: Role; isAdmin?: boolean }): Promise<Person>
  addRepo(owner: Person, name: string, visibility?: 'public' | 'private', type?: RepoName['type']): Promise<Repo>
  share(repo: Repo, person: Person, role: Role): Promise<void>
  grant(repo: Repo, ...contents: Content[]): Promise<void>
}

/** A house over an empty database and, unless another is given, a file bucket of its own. */
export async function openLfsHouse(
  t: Test,
  options: { limits?: Partial<Limits>; bucket?: Bucket } = {},
): Promise<LfsHouse> {
  const { database } = await createTestDatabase(t)
  const counted = countStatements(database)
  const config = readConfig({ PUBLIC_URL: 'http://hub.example' })
  Object.assign(config.limits, options.limits)
  const bucket = options.bucket ?? (await openTemporaryBucket(t))
  const hub = {
    config,
    logger: createLogger('silent'),
    database: counted.database,
    bucket,
    secret: Buffer.alloc(32, 7),
  } as unknown as Hub
  const server = fastify({
    bodyLimit: config.limits.jsonBodyMaxBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: config.limits.gitPathMaxBytes },
  })
  authenticateRequests(server, hub)
  decideAccessOnRoutes(server, hub)
  server.register(lfsRoutes(hub))
  server.register(bytesRoutes(hub))
  await server.ready()
  t.teardown(() => server.close())
  return {
    hub,
    server,
    statements: counted.statements,
    addPerson: (name, person) => addPerson(hub, name, person),
    addRepo: async ({ principal }, name, visibility = 'public', type = 'model') => {
      const { userId, userName } = principal
      await insertRepo(database, { namespaceId: userId, type, name, visibility, createdBy: userId })
      return await openRepo(hub, principal, { type, namespace: userName, name }, 'read')
    },
    share: (repo, person, role) => setCollaborator(hub, repo, person.principal.userName, role),
    grant: (repo, ...contents) =>
      hub.database.transaction((tx) => grantLfs(tx, { repo, oids: contents.map((content) => content.oid) })),
  }
}

async function openTemporaryBucket(t: Test): Promise<Bucket> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lfs-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const bucket = openFileBucket(folder)
  await bucket.probe()
  return bucket
}

function countStatements(database: Database): { database: Database; statements(): number } {
  let count = 0
  const counting: Database = {
    query: (sql, values) => {
      count++
      return database.query(sql, values)
    },
    transaction: (run) =>
      database.transaction((tx) =>
        run({
          query: (sql, values) => {
            count++
            return tx.query(sql, values)
          },
        }),
      ),
    close: () => database.close(),
  }
  return { database: counting, statements: () => count }
}

async function addPerson(
  hub: Hub,
  name: string,
  { role = 'admin', isAdmin = false }: { role?: Role; isAdmin?: boolean } = {},
): Promise<Person> {
  const userId = await createUser(hub, { name, isAdmin })
  const token = await createToken(hub, { userName: name, role, name: 'test' })
  const authorization = `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`
  const principal: UserPrincipal = {
    kind: 'user',
    userId,
    userName: name,
    isAdmin,
    role,
    tokenId: undefined,
    tokenName: 'test',
  }
  return { principal, authorization }
}

/** Sends LFS JSON as `person`, nobody when undefined. */
export async function askLfs(
  house: LfsHouse,
  person: Person | undefined,
  method: 'GET' | 'POST',
  url: string,
  body?: unknown,
): Promise<LightMyRequestResponse> {
  const headers: Record<string, string> = { accept: lfsMediaType }
  if (person !== undefined) headers.authorization = person.authorization
  if (body !== undefined) headers['content-type'] = `${lfsMediaType}; charset=utf-8`
  const payload = body === undefined ? undefined : JSON.stringify(body)
  return await house.server.inject({ method, url, headers, payload })
}

/** One batch, which must be answered with 200; its objects. */
export async function askBatch(
  house: LfsHouse,
  person: Person | undefined,
  repo: Repo,
  batch: { operation: 'upload' | 'download'; objects: readonly { oid: string; size: number }[] },
): Promise<BatchObject[]> {
  const objects = batch.objects.map(({ oid, size }) => ({ oid, size }))
  const url = `/${repo.namespace}/${repo.name}.git/info/lfs/objects/batch`
  const answer = await askLfs(house, person, 'POST', url, { operation: batch.operation, transfers: ['basic'], objects })
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.body}`)
  return answer.json<BatchResponse>().objects
}

/** The path and query of an action's home link. */
export function linkOf(object: BatchObject | undefined, action: 'upload' | 'download' | 'verify'): string {
  const actions = object?.actions as Record<string, { href: string }> | undefined
  const href = actions?.[action]?.href
  if (href === undefined) throw new Error(`no ${action} action: ${JSON.stringify(object)}`)
  return href.replace('http://hub.example', '')
}

/** Uploads through home links, as git-lfs would. */
export async function uploadContent(house: LfsHouse, person: Person, repo: Repo, content: Content): Promise<void> {
  const [object] = await askBatch(house, person, repo, { operation: 'upload', objects: [content] })
  const put = await house.server.inject({ method: 'PUT', url: linkOf(object, 'upload'), payload: content.bytes })
  if (put.statusCode !== 200) throw new Error(`${put.statusCode} ${put.body}`)
}
