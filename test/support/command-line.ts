/** `holdfast <command>` over a database of the test and a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Database } from '../../src/database/queryable.ts'
import type { CommandRequest } from './command-runner.ts'
import { gitEnvironment, type Ran, run, temporaryFolder } from './git.ts'
import { createTestDatabase } from './postgres.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')
const runner = resolve(import.meta.dirname, 'command-runner.ts')

export interface CommandLine {
  database: Database
  /** Runs a command to its end, whatever its exit status. */
  holdfast(...args: string[]): Promise<Ran>
  /** The same with bytes on its standard input. */
  holdfastWith(stdin: string, ...args: string[]): Promise<Ran>
  /** The same as a process of its own, which must end by itself. */
  holdfastAlone(stdin: string, ...args: string[]): Promise<Ran>
}

export async function openCommandLine(t: Parameters<typeof createTestDatabase>[0]): Promise<CommandLine> {
  const { url, database } = await createTestDatabase(t)
  const dataDir = temporaryFolder(t, 'command')
  const env = { DATABASE_URL: url, DATA_DIR: dataDir, PUBLIC_URL: 'http://hub.example' }
  const runCommand = startCommands(t)
  return {
    database,
    holdfast: (...args) => runCommand({ args, env, stdin: '' }),
    holdfastWith: (stdin, ...args) => runCommand({ args, env, stdin }),
    holdfastAlone: (stdin, ...args) => run(process.execPath, [main, ...args], { env, stdin }),
  }
}

/** Starts one process that runs commands one after the other: what a new process costs is a hundred times the command. */
export function startCommands(t: { teardown(end: () => unknown): unknown }): (command: CommandRequest) => Promise<Ran> {
  const child = spawn(process.execPath, [runner], { env: gitEnvironment(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  t.teardown(async () => {
    const exited = once(child, 'exit')
    child.disconnect()
    await exited
  })
  let last: Promise<unknown> = Promise.resolve()
  return (command) => {
    const ran = last.then(() => runCommand(child, command))
    last = ran.catch(() => {})
    return ran
  }
}

async function runCommand(child: ChildProcess, command: CommandRequest): Promise<Ran> {
  const output = Promise.all([readToNul(child.stdout!), readToNul(child.stderr!), once(child, 'message')])
  child.send(command)
  const [stdout, stderr, [status]] = await output
  return { status, stdout, stderr }
}

function readToNul(stream: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  const end = () => reject(new Error(`The process of the commands has ended: ${Buffer.concat(chunks)}`))
  const read = (chunk: Buffer) => {
    chunks.push(chunk)
    if (chunk.at(-1) !== 0) return
    stream.off('data', read).off('end', end)
    resolve(Buffer.concat(chunks).toString().slice(0, -1))
  }
  stream.on('data', read).once('end', end)
  return promise
}
