/** Real `git` and git-lfs as a person has them, shut off from the configuration of the machine that runs the tests. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Ran {
  status: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  stdin?: string | AsyncIterable<string | Uint8Array>
  timeoutMs?: number
}

const home = join(tmpdir(), `holdfast-git-${process.pid}`)

/** The environment every git of the tests runs in: its own home, a name, LFS filters installed, no prompts. */
export function gitEnvironment(): Record<string, string> {
  mkdirSync(home, { recursive: true })
  process.once('exit', () => rmSync(home, { recursive: true, force: true }))
  writeFileSync(
    join(home, '.gitconfig'),
    [
      '[user]\n\tname = Ada\n\temail = ada@example.org',
      '[init]\n\tdefaultBranch = main',
      '[advice]\n\tdetachedHead = false',
      '[gc]\n\tauto = 0',
      '[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f',
      '\tprocess = git-lfs filter-process\n\trequired = true\n',
    ].join('\n'),
  )
  return {
    PATH: `${process.env.PATH}:/usr/sbin`,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
}

let environment: Record<string, string> | undefined

/** Runs a program to its end, whatever its exit status. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  environment ??= gitEnvironment()
  const settings: SpawnOptions = {
    cwd: options.cwd,
    env: { ...environment, ...options.env },
    timeout: options.timeoutMs,
  }
  const child = spawn(program, args, { ...settings, stdio: ['pipe', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends before it has read everything says why in its status.
  child.stdin?.on('error', () => {})
  const closed = once(child, 'close')
  for await (const chunk of toChunks(options.stdin)) {
    if (child.stdin?.write(chunk) === false) await Promise.race([once(child.stdin, 'drain'), closed])
  }
  child.stdin?.end()
  const [status] = await closed
  return {
    status: (status as number | null) ?? -1,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }
}

/** Runs git in `cwd` and returns its standard output without the last line end. Throws with what it said if it fails. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const ran = await tryGit(cwd, ...args)
  if (ran.status !== 0) throw new Error(`git ${args.join(' ')} ended with ${ran.status}:\n${ran.stderr}${ran.stdout}`)
  return ran.stdout.replace(/\n$/, '')
}

export function tryGit(cwd: string, ...args: string[]): Promise<Ran> {
  return run('git', args, { cwd })
}

/** A folder that is gone when the test or file `t` ends. */
export function temporaryFolder(t: { teardown(run: () => unknown): unknown }, name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${name}-`))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** What two repositories must agree on to be equal: every ref with its id, and every object reachable from them. */
export async function describeRepository(gitDir: string): Promise<{ refs: string; objects: string }> {
  const refs = await git(gitDir, 'for-each-ref', '--format=%(objectname) %(objecttype) %(refname)')
  const objects = await git(gitDir, 'rev-list', '--objects', '--all', '--no-object-names')
  return { refs, objects: objects.split('\n').sort().join('\n') }
}

async function* toChunks(input: RunOptions['stdin']): AsyncGenerator<string | Uint8Array> {
  if (input === undefined) return
  if (typeof input === 'string') yield input
  else yield* input
}
