/** `holdfast serve` as a process of its own, as an operator starts it: it can be stopped, killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Test as Tap } from 'tap'
import type { S3Config } from '../../src/config.ts'
import { type Ran, run } from './git.ts'
import { startMinio } from './minio.ts'
import { findFreePort } from './ports.ts'
import { createTestDatabase, withDatabase } from './postgres.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')
const readyWithinMs = 60_000
const pollMs = 50

interface Teardown {
  teardown(run: () => unknown): unknown
}

export interface TestServer {
  url: string
  pid(): number
  /** The URL of a repository with the user's name and token in it. */
  repoUrl(account: TestAccount, path: string): string
  /** Runs a command of the command line beside the server; returns what it printed. */
  holdfast(...args: string[]): Promise<string>
  /** SIGKILL, at once: what a power cut does to the process. */
  kill(): Promise<void>
  /** SIGTERM, and waits for the end; returns the exit status. */
  stop(): Promise<number>
  start(): Promise<void>
  log(): string
}

export interface TestAccount {
  name: string
  token: string
}

/** Starts a server with its settings in `environment`, and waits until it is ready. It is gone at the end of `t`. */
export async function startTestServer(t: Teardown, environment: Record<string, string> = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
  // Started by root, embedded PostgreSQL runs as an ordinary user, who must be able to pass through.
  chmodSync(folder, 0o711)
  const port = String(await findFreePort())
  const url = `http://127.0.0.1:${port}`
  const logPath = join(folder, 'server.log')
  // HOME is where npm and git look; PATH finds initdb's helpers. Nothing else of the test's environment gets through.
  const settings = {
    PATH: process.env.PATH ?? '',
    PORT: port,
    PUBLIC_URL: url,
    DATA_DIR: join(folder, 'data'),
    // Load generators ask as often as they can.
    REQUESTS_PER_MINUTE_MAX: '0',
    LOG_LEVEL: 'info',
    ...environment,
  }
  let child: ChildProcess | undefined
  let isStopped = false

  async function start(): Promise<void> {
    isStopped = false
    const log = createWriteStream(logPath, { flags: 'a' })
    await once(log, 'open')
    const logged = readLog().length
    const started = spawn(process.execPath, [main, 'serve'], { env: settings, stdio: ['ignore', log, log] })
    log.close()
    child = started
    const deadline = Date.now() + readyWithinMs
    // Its own log says that it listens: were the port taken, somebody else would answer that they are ready.
    while (!(readLog().includes('Holdfast listens', logged) && (await isReady(url)))) {
      if (hasEnded(started)) throw new Error(`The server ended with ${started.exitCode}:\n${readLog()}`)
      if (Date.now() > deadline) throw new Error(`The server did not get ready:\n${readLog()}`)
      await pause(pollMs)
    }
  }

  function readLog(): string {
    return readFileSync(logPath, 'utf8')
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const running = child
    if (running === undefined || hasEnded(running)) return running?.exitCode ?? -1
    const exited = once(running, 'exit')
    running.kill(signal)
    const [status] = await exited
    return (status as number | null) ?? -1
  }

  t.teardown(async () => {
    // A stop, not a kill, so that an embedded PostgreSQL stops with its server, even one that was killed before.
    const wasKilled = child?.signalCode === 'SIGKILL'
    const endedByItself = !wasKilled && !isStopped && child !== undefined && hasEnded(child)
    const log = endedByItself ? readLog() : ''
    if (wasKilled) await start()
    await end('SIGTERM')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    // What made its tests fail would be gone with the folder.
    if (endedByItself) throw new Error(`The server ended by itself:\n${log}`)
  })
  await start()
  return {
    url,
    pid: () => child?.pid ?? -1,
    repoUrl: (account, path) => `${url.replace('://', `://${account.name}:${account.token}@`)}/${path}`,
    holdfast: (...args) => runHoldfast(settings, args),
    kill: async () => {
      await end('SIGKILL')
    },
    stop: () => {
      isStopped = true
      return end('SIGTERM')
    },
    start,
    log: readLog,
  }
}

/** A user with a token that may write. */
export async function createAccount(server: TestServer, name: string): Promise<TestAccount> {
  await server.holdfast('user', 'create', name)
  return { name, token: await server.holdfast('token', 'create', name, '--role', 'write') }
}

/** A deployment to test against: several servers over the same database and bucket, or one over its own folder. */
export interface Deployment {
  name: 'embedded' | 'production'
  servers: TestServer[]
  /** The object store of a production deployment. */
  store?: { s3: S3Config; pids(): number[] }
}

/** One server, embedded PostgreSQL, bytes in a folder. */
export async function startEmbedded(t: Teardown): Promise<Deployment> {
  return { name: 'embedded', servers: [await startTestServer(t)] }
}

/** Three servers that start at once on one empty PostgreSQL and one MinIO. */
export async function startProduction(t: Teardown, serverCount = 3): Promise<Deployment> {
  const databaseUrl = await createEmptyDatabase(t)
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const s3 = minio.newBucket()
  const settings = productionSettings(databaseUrl, s3)
  const servers = await Promise.all(Array.from({ length: serverCount }, () => startTestServer(t, settings)))
  return { name: 'production', servers, store: { s3, pids: () => [minio.pid()] } }
}

export function productionSettings(databaseUrl: string, s3: S3Config): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucket,
    S3_REGION: s3.region,
    S3_ACCESS_KEY: s3.accessKey,
    S3_SECRET_KEY: s3.secretKey,
  }
}

/** A database without tables beside the test's own: the servers are to migrate it. */
async function createEmptyDatabase(t: Teardown): Promise<string> {
  const { url } = await createTestDatabase(t as Parameters<typeof createTestDatabase>[0])
  const name = `empty_${process.pid}_${Date.now()}`
  const administer = async (sql: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  await administer(`create database ${name} template template0`)
  t.teardown(() => administer(`drop database ${name} with (force)`))
  return withDatabase(url, name)
}

async function runHoldfast(env: Record<string, string>, args: string[]): Promise<string> {
  const ran: Ran = await run(process.execPath, [main, ...args], { env })
  if (ran.status !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${ran.status}:\n${ran.stderr}`)
  return ran.stdout.trim()
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`)
    await answer.body?.cancel()
    return answer.ok
  } catch {
    return false
  }
}

/** Runs the same test against both deployments. */
export function inBothDeployments(
  t: Tap,
  name: string,
  body: (t: Tap, deployment: Deployment) => Promise<unknown>,
): void {
  for (const [kind, start] of Object.entries({ embedded: startEmbedded, production: startProduction })) {
    t.test(`${name}, ${kind}`, async (t) => {
      await body(t, await start(t))
    })
  }
}
