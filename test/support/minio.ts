/**
 * A real MinIO for a test file: free loopback ports, a temporary data folder, gone with the tests that use it. Every
 * test file has its own, since a server that files share could not be taken down by any one of them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { S3Config } from '../../src/config.ts'
import { findFreePort } from './ports.ts'

const accessKey = 'holdfast-test'
const secretKey = 'holdfast-test-secret'
const readyWithinMs = 60_000

export interface Minio {
  endpoint: string
  pid(): number
  /** Settings for a bucket of its own, which does not exist yet. */
  newBucket(): S3Config
  /** Stops the server as a crash would; `start` brings it back with the same data and address. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Stops the server and deletes its data. */
  stop(): Promise<void>
}

/** Starts a MinIO and waits until it answers. Call `stop` in a teardown; it also goes when the process exits. */
export async function startMinio(): Promise<Minio> {
  const binary = findMinio()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-minio-'))
  const port = await findFreePort()
  const consolePort = await findFreePort()
  const endpoint = `http://127.0.0.1:${port}`
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    server = spawn(
      binary,
      ['server', folder, '--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${consolePort}`],
      {
        env: { ...process.env, MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: 'off' },
        stdio: 'ignore',
      },
    )
    server.unref()
    await waitUntilReady(server, endpoint)
  }

  async function kill(): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const gone = new Promise((resolve) => server?.once('exit', resolve))
    server.ref()
    server.kill('SIGKILL')
    await gone
  }

  function removeAtExit(): void {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  process.once('exit', removeAtExit)
  await start()
  return {
    endpoint,
    pid: () => server?.pid ?? -1,
    newBucket: () => ({
      endpoint,
      publicEndpoint: endpoint,
      bucket: `test-${randomUUID()}`,
      region: 'us-east-1',
      accessKey,
      secretKey,
    }),
    kill,
    start,
    async stop() {
      await kill()
      process.off('exit', removeAtExit)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The path of the MinIO server. Throws a sentence that says how to get one. */
export function findMinio(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = [
    process.env.HOLDFAST_MINIO,
    ...folders.map((folder) => join(folder, 'minio')),
    join(homedir(), '.cache/holdfast/bin/minio'),
  ]
  const found = candidates.find((path) => path !== undefined && path !== '' && isExecutable(path))
  if (found === undefined) throw new Error('No MinIO server was found. `npm run setup` gets one for the tests.')
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function waitUntilReady(server: ChildProcess, endpoint: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    const isReady = await fetch(`${endpoint}/minio/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    if (server.exitCode !== null) throw new Error(`MinIO ended with status ${server.exitCode} while starting.`)
    if (Date.now() > deadline) throw new Error('MinIO did not get ready in time.')
    await pause(50)
  }
}
