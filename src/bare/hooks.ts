/**
 * The hooks of a repository on disk (githooks): pre-receive, update, post-receive and post-update run where they are
 * executable files, in git's order and environment; what they print goes to the one who pushes.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { nullId } from '../git/object-id.ts'
import type { RefCommand } from '../git/repository.ts'
import type { BareRepository } from './bare-repository.ts'

export type HookName = 'pre-receive' | 'update' | 'post-receive' | 'post-update'

export interface HookRun {
  args?: readonly string[]
  /** In latin1. */
  stdin?: string
  environment?: Record<string, string>
  print(text: string): void
}

/** True where the hook ended well, or there is none; false too where it cannot be run, which `print` is told. */
export async function runHook(
  { gitPath, commonPath, settings }: BareRepository,
  name: HookName,
  { args = [], stdin = '', environment, print }: HookRun,
): Promise<boolean> {
  const hooksPath = settings.hooksPath ?? resolve(commonPath, 'hooks')
  const path = resolve(gitPath, hooksPath, name)
  if (!isExecutable(path)) return true
  const env = { ...process.env, GIT_DIR: '.', ...environment }
  const cannotRun = (error: unknown) => print(`error: cannot run ${path}: ${(error as Error).message}\n`)
  let child: ChildProcessWithoutNullStreams
  try {
    child = spawn(path, args, { cwd: gitPath, env })
  } catch (error) {
    // Thrown, not emitted: more arguments or a longer environment than the system takes.
    cannotRun(error)
    return false
  }
  const { promise: ended, resolve: end } = Promise.withResolvers<boolean>()
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => print(chunk.toString()))
  // A hook need not read what it is told.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin, 'latin1')
  child.on('error', (error) => {
    cannotRun(error)
    end(false)
  })
  child.on('close', (status) => end(status === 0))
  return await ended
}

/** A line for each command, as pre-receive and post-receive read them. */
export function hookLines(commands: readonly RefCommand[]): string {
  return commands.map(({ name, oldId, newId }) => `${oldId ?? nullId} ${newId ?? nullId} ${name}\n`).join('')
}

/** How hooks see push options. */
export function pushOptionsEnvironment(options: readonly string[]): Record<string, string> {
  if (options.length === 0) return {}
  return Object.fromEntries([
    ['GIT_PUSH_OPTION_COUNT', String(options.length)],
    ...options.map((option, index) => [`GIT_PUSH_OPTION_${index}`, option]),
  ])
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
