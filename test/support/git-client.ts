/** Runs the real git, and makes histories for it. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const gitEnvironment = {
  ...process.env,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'C',
  GIT_COMMITTER_EMAIL: 'c@example.org',
  LC_ALL: 'C',
}

export interface GitOutcome {
  status: number
  stdout: string
  stderr: string
}

/** Runs git without blocking (the server under test lives in this process). Never rejects. */
export function tryGit(cwd: string, ...args: string[]): Promise<GitOutcome> {
  return new Promise((resolve) => {
    const options = { cwd, env: gitEnvironment, maxBuffer: 2 ** 28 }
    execFile('git', args, options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })
}

/** As `tryGit`; returns the output without its last line feed, throws where git fails. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await tryGit(cwd, ...args)
  if (status !== 0) throw new Error(`git ${args.join(' ')} failed (${status}): ${stderr}`)
  return stdout.trimEnd()
}

/** Runs git at once, with something on its standard input; returns its output. */
export function gitSync(cwd: string, args: readonly string[], input: string | Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd, input, env: gitEnvironment, maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(`git ${args.join(' ')} failed (${status}): ${stderr}`)
  return stdout
}

/** A new folder, removed after the test. */
export function temporaryFolder(t: { teardown(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-git-'))
  t.teardown(() => spawnSync('rm', ['-rf', folder]))
  return folder
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Makes a bare repository at `path` with a random history: branches, merges, directories, renames, reverts, tags of tags,
 * and clocks that run wrong.
 */
export function makeHistory(path: string, { seed, commits }: { seed: number; commits: number }): void {
  spawnSync('git', ['init', '-q', '--bare', '-b', 'main', path], { env: gitEnvironment })
  gitSync(path, ['fast-import', '--quiet'], writeHistory(seed, commits))
}

/** Lets a new branch of `count` commits grow out of `from`. */
export function importCommits(path: string, branch: string, from: string, count: number): void {
  const commit = [`commit ${branch}`, 'committer C <c@example.org> 1800000000 +0000', 'data 3', 'own']
  const stream = [...commit, `from ${from}^0`, ...Array.from({ length: count - 1 }, () => commit).flat(), '']
  gitSync(path, ['fast-import', '--quiet'], stream.join('\n'))
}

function writeHistory(seed: number, commits: number): string {
  const random = seededRandom(seed)
  const below = (count: number) => Math.floor(random() * count)
  const lines: string[] = []
  const tips = [0]
  for (let mark = 1; mark <= commits; mark++) {
    const branch = mark === 1 ? 0 : below(Math.min(tips.length + (random() < 0.1 ? 1 : 0), 5))
    const skew = random() < 0.1 ? -below(50_000) : 0
    const message = `commit ${mark}`
    lines.push(`commit refs/heads/${branch === 0 ? 'main' : `topic-${branch}`}`, `mark :${mark}`)
    lines.push(
      `committer C <c@example.org> ${1_700_000_000 + mark * 60 + skew} +0000`,
      `data ${message.length}`,
      message,
    )
    const from = tips[branch] ?? tips[0]
    if (from > 0) lines.push(`from :${from}`)
    const other = tips[below(tips.length)]
    if (random() < 0.2 && other > 0 && other !== from) lines.push(`merge :${other}`)
    for (let change = 0; change <= below(4); change++) lines.push(...writeChange(below, mark))
    tips[branch] = mark
    if (random() < 0.1) lines.push(...writeTag(`v${mark}`, `:${mark}`))
  }
  lines.push(...writeTag('inner', `:${commits}`, commits + 1), ...writeTag('nested', `:${commits + 1}`), '')
  return lines.join('\n')
}

function writeChange(below: (count: number) => number, mark: number): string[] {
  const path = `dir-${below(4)}/sub-${below(3)}/file-${below(12)}`
  const kind = below(10)
  if (kind === 0) return [`D dir-${below(4)}/sub-${below(3)}`]
  const text = kind < 3 ? `shared ${below(5)}\n` : `${`line of ${path}\n`.repeat(20)}${mark}\n`
  return [`M ${kind === 4 ? '100755' : '100644'} inline ${path}`, `data ${text.length}`, text]
}

function writeTag(name: string, from: string, mark?: number): string[] {
  const markLine = mark === undefined ? [] : [`mark :${mark}`]
  return [`tag ${name}`, ...markLine, `from ${from}`, 'tagger C <c@example.org> 1700000000 +0000', 'data 3', 'tag']
}
