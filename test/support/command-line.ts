/** `holdfast <command>` as a process of its own, over a database of the test and a data folder of its own. */
import { resolve } from 'node:path'
import type { Database } from '../../src/database/queryable.ts'
import { type Ran, run, temporaryFolder } from './git.ts'
import { createTestDatabase } from './postgres.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')

export interface CommandLine {
  database: Database
  /** Runs a command to its end, whatever its exit status. */
  holdfast(...args: string[]): Promise<Ran>
  /** The same with bytes on its standard input. */
  holdfastWith(stdin: string, ...args: string[]): Promise<Ran>
}

export async function openCommandLine(t: Parameters<typeof createTestDatabase>[0]): Promise<CommandLine> {
  const { url, database } = await createTestDatabase(t)
  const dataDir = temporaryFolder(t, 'command')
  const env = { DATABASE_URL: url, DATA_DIR: dataDir, PUBLIC_URL: 'http://hub.example' }
  const runWith = (stdin: string | undefined, args: string[]) => run(process.execPath, [main, ...args], { env, stdin })
  return {
    database,
    holdfast: (...args) => runWith(undefined, args),
    holdfastWith: (stdin, ...args) => runWith(stdin, args),
  }
}
