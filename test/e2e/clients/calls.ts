/** Runs the calls of a real client, each a case of its own, and keeps the README's tables of what works. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { TestAccount, TestServer } from '../../support/test-server.ts'

/** What came of one case of a client's call. */
export interface CallResult {
  call: string
  case: string
  /** What the client raised; null where the case holds. */
  error: string | null
}

export interface ClientRun {
  program: string
  args: string[]
  cwd?: string
  env: Record<string, string>
  /** Handed to the client's script as JSON on standard input. */
  input: unknown
}

export const cache = process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache/holdfast')
const readme = join(import.meta.dirname, '../../../README.md')
const isWriting = process.env.HOLDFAST_WRITE_TABLES !== undefined

/** A line of huggingface_hub. */
export interface HubLine {
  version: string
  environment: string
}

/** The lines of huggingface_hub, newest first, with the environments that they are installed in. */
export const hubLines: HubLine[] = [
  { version: '2.4.0', environment: 'python' },
  { version: '1.10.2', environment: 'python-1.10' },
  { version: '0.36.2', environment: 'python-0.36' },
]

/** The environment in which a client finds the server and nothing of the machine that runs the tests. */
export function clientEnvironment(server: TestServer, account: TestAccount, home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    HF_HOME: home,
    HF_ENDPOINT: server.url,
    HF_TOKEN: account.token,
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    HF_HUB_DISABLE_UPDATE_CHECK: '1',
    // Compiled once, and not into the checkout.
    PYTHONPYCACHEPREFIX: join(cache, 'pycache'),
  }
}

/** Runs a client's script, whose lines of JSON tell of one case each; every case becomes an assertion of `t`. */
export async function runCalls(t: Test, client: ClientRun): Promise<CallResult[]> {
  const child = spawn(client.program, client.args, {
    cwd: client.cwd,
    env: client.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const complaints: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(client.input))
  const closed = once(child, 'close')
  const results: CallResult[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const result = JSON.parse(line) as CallResult
    results.push(result)
    t.equal(result.error, null, `${result.call}: ${result.case}`)
  }
  const [status] = await closed
  if (status !== 0) t.fail(`the client ended with ${status}`, { stderr: Buffer.concat(complaints).toString() })
  return results
}

/** A case of a client that runs in this process: the call, what it is to do, how. */
export type Case = [call: string, name: string, run: () => Promise<void>]

/** Runs the cases in their order, whatever became of those before. */
export async function runCases(t: Test, cases: readonly Case[]): Promise<CallResult[]> {
  const results: CallResult[] = []
  for (const [call, name, run] of cases) {
    const error = await run().then(
      () => null,
      (error: Error) => String(error.stack ?? error),
    )
    results.push({ call, case: name, error })
    t.equal(error, null, `${call}: ${name}`)
  }
  return results
}

/** Calls of a client by the versions that it was run in. */
export type CallsByVersion = Record<string, CallResult[]>

/**
 * Compares the README's table of the calls that were run with the one that this run makes, or writes it when asked to
 * (`npm run compatibility`). A call stands in it when every case of it holds.
 */
export function checkTable(t: Test, client: string, calls: CallsByVersion): void {
  const text = readFileSync(readme, 'utf8')
  const [start, end] = [`<!-- calls of ${client} -->\n`, `<!-- end of ${client} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md has no place for the calls of ${client}`)
  const table = writeTable(client, calls)
  if (isWriting) writeFileSync(readme, text.slice(0, from) + start + table + text.slice(to))
  else t.equal(text.slice(from + start.length, to), table, 'stale? npm run compatibility writes it')
}

function writeTable(client: string, calls: CallsByVersion): string {
  const versions = Object.keys(calls)
  const names = [...new Set(Object.values(calls).flatMap((results) => results.map(({ call }) => call)))]
  const row = (name: string) => versions.map((version) => verdict(calls[version], name)).join(' | ')
  return [
    `<details><summary>${client} ${versions.join(', ')}: ${names.length} calls</summary>\n`,
    `| call | ${versions.join(' | ')} |`,
    `|---|${versions.map(() => ':-:|').join('')}`,
    ...names.map((name) => `| \`${name}\` | ${row(name)} |`),
    '\n</details>\n',
  ].join('\n')
}

function verdict(results: CallResult[], name: string): string {
  const cases = results.filter(({ call }) => call === name)
  if (cases.length === 0) return '–'
  return cases.every(({ error }) => error === null) ? '✓' : '✗'
}
