/**
 * The `hf` command, every call a process of its own, and the cases that all its lines share. Each call starts a Python, half
 * a second of a core: so the cases that do not depend on each other run side by side, and older lines have few.
 */
import { deepEqual, equal, match } from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../support/git.ts'
import { createAccount, type TestAccount, type TestServer } from '../../support/test-server.ts'
import { type Case, cache, clientEnvironment, type HubLine } from './calls.ts'

/** Runs the command; returns what it prints. */
export type Hf = (...args: string[]) => Promise<string>

export interface HfUser {
  hf: Hf
  /** Where the command runs: holds `file.txt`, and `folder` with a text, weights and a log. */
  home: string
  account: TestAccount
  /** A model that the cases make. */
  repo: string
}

/** The command of one environment; fails with all that it said. */
export function hfCommand(environment: string, cwd: string, env: Record<string, string>): Hf {
  return async (...args) => {
    const ran = await run(join(cache, environment, 'bin/hf'), args, { cwd, env })
    if (ran.status === 0) return ran.stdout
    throw new Error(`hf ${args.join(' ')} ended with ${ran.status}:\n${ran.stderr}${ran.stdout}`)
  }
}

/** A user of the command in one line, with files to upload. What `hf auth login` keeps is the token. */
export async function createHfUser(servers: TestServer[], line: HubLine, folder: string): Promise<HfUser> {
  const account = await createAccount(servers[0], `ada-${line.version}`)
  const home = join(folder, line.version)
  const { HF_TOKEN: _, ...env } = clientEnvironment(servers[servers.length - 1], account, home)
  await mkdir(join(home, 'folder/deep'), { recursive: true })
  await writeFile(join(home, 'file.txt'), 'by command')
  await writeFile(join(home, 'folder/deep/a.txt'), 'deep')
  await writeFile(join(home, 'folder/model.safetensors'), weights)
  await writeFile(join(home, 'folder/skip.log'), 'skipped')
  return { hf: hfCommand(line.environment, home, env), home, account, repo: `${account.name}/command` }
}

export const weights = Buffer.alloc(100_000, 7)

export function logIn({ hf, account }: HfUser): Case {
  return ['hf auth login', 'keeps the token', async () => void (await hf('auth', 'login', '--token', account.token))]
}

export function uploads({ hf, repo }: HfUser): Case[] {
  return [
    ['hf upload', 'a file', async () => void (await hf('upload', repo, 'file.txt'))],
    [
      'hf upload',
      'a folder with patterns, to a branch that it makes',
      async () => {
        const options = ['--exclude', '*.log', '--revision', 'by/hf', '--commit-message', 'Folder']
        await hf('upload', repo, 'folder', 'there', ...options)
      },
    ],
  ]
}

export function downloads({ hf, repo, home }: HfUser): Case[] {
  return [
    [
      'hf download',
      'a file',
      async () => {
        const path = (await hf('download', repo, 'file.txt', '--quiet')).trim().split('\n').at(-1) ?? ''
        equal(await readFile(path, 'utf8'), 'by command')
      },
    ],
    [
      'hf download',
      'a branch into a folder',
      async () => {
        await hf('download', repo, '--revision', 'by/hf', '--local-dir', 'local', '--include', 'there/*')
        deepEqual(await readFile(join(home, 'local/there/model.safetensors')), weights)
        equal(await readFile(join(home, 'local/there/deep/a.txt'), 'utf8'), 'deep')
      },
    ],
  ]
}

/** A tag made, listed and deleted; `repos` is the word `repo` in 0.36. */
export function tags({ hf, repo }: HfUser, repos = 'repos'): Case[] {
  const tag: Hf = (...args) => hf(repos, 'tag', ...args)
  return [
    [`hf ${repos} tag create`, 'makes a tag', async () => void (await tag('create', repo, 'v1', '-m', 'One'))],
    [`hf ${repos} tag list`, 'lists it', async () => match(await tag('list', repo), /v1/)],
    [`hf ${repos} tag delete`, 'deletes it', async () => void (await tag('delete', repo, 'v1', '--yes'))],
  ]
}

export function branches({ hf, repo }: HfUser): Case[] {
  return [
    ['hf repos branch create', 'makes a branch', async () => void (await hf('repos', 'branch', 'create', repo, 'dev'))],
    ['hf repos branch delete', 'deletes it', async () => void (await hf('repos', 'branch', 'delete', repo, 'dev'))],
  ]
}
