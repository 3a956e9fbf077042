/** The same pushes and fetches to git's own programs and to ours, over the same repository, and what came of both. */
import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type GitOutcome, git, tryGit } from './git-client.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')

/** What to pass to `--upload-pack` and `--receive-pack`. */
export const ourUploadPack = `${process.execPath} ${main} upload-pack`
export const ourReceivePack = `${process.execPath} ${main} receive-pack`

export interface Pushed {
  status: number
  /** The lines of `--porcelain`, without the address. */
  lines: string[]
  refs: string
  head: string
  stderr: string
}

/** Pushes from `client` to copies of `server`, once to git and once to us. */
export async function pushToBoth(client: string, server: string, args: readonly string[]): Promise<[Pushed, Pushed]> {
  const gits = `${server}.git-copy`
  const ours = `${server}.our-copy`
  for (const copy of [gits, ours]) cpSync(server, copy, { recursive: true, verbatimSymlinks: true })
  return [await push(client, gits, args), await push(client, ours, [`--receive-pack=${ourReceivePack}`, ...args])]
}

export async function push(client: string, server: string, args: readonly string[]): Promise<Pushed> {
  const options = args.filter((arg) => arg.startsWith('-'))
  const refspecs = args.filter((arg) => !arg.startsWith('-'))
  const ran = await tryGit(client, 'push', '--porcelain', ...options, server, ...refspecs)
  return { ...(await describe(server)), status: ran.status, lines: porcelainLines(ran), stderr: ran.stderr }
}

/** Refs and HEAD as git reads them. */
export async function describe(server: string): Promise<{ refs: string; head: string }> {
  return {
    refs: await git(server, 'for-each-ref', '--format=%(objectname) %(refname) %(symref)'),
    head: (await tryGit(server, 'rev-parse', 'HEAD')).stdout,
  }
}

function porcelainLines({ stdout }: GitOutcome): string[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('To '))
    .sort()
}

/** A path beside `folder` for the next repository of a test. */
export function numbered(folder: string): (name: string) => string {
  let count = 0
  return (name) => join(folder, `${name}-${++count}`)
}
