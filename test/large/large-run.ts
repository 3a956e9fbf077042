/**
 * Takes a repository through a server: in by a push, out by a clone. Notes how long each took and the most that the server's
 * process had resident, PostgreSQL apart, in results.json and, as a table, in RESULTS.md.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { forgetPeakResident, peakResidentMiB } from '../bench/processes.ts'
import { git, run, temporaryFolder } from '../support/git.ts'
import { createAccount, startTestServer, type TestServer } from '../support/test-server.ts'

export interface LargeRun {
  folder: string
  server: TestServer
  /** Of an empty repository, with a token in it. */
  url: string
  /** Runs a step, and notes its time and the server's peak. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>
}

interface Figure {
  name: string
  seconds: number
  peakMiB: number
}

interface LargeResult {
  title: string
  commit: string
  day: string
  load: number
  figures: Figure[]
}

const aimMiB = 400
const jsonPath = join(import.meta.dirname, 'results.json')
const tablePath = join(import.meta.dirname, 'RESULTS.md')

/** A test with a server of its own, whose figures are kept if `body` succeeds. Everything is gone afterwards. */
export function largeTest(
  t: Test,
  title: string,
  body: (t: Test, run: LargeRun) => Promise<void>,
  settings: Record<string, string> = {},
): void {
  t.test(title, async (t) => {
    const folder = temporaryFolder(t, 'large')
    const server = await startTestServer(t, settings)
    const account = await createAccount(server, 'ada')
    await server.holdfast('repo', 'create', 'model', 'ada/large')
    const figures: Figure[] = []
    const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
      forgetPeakResident(server.pid())
      const start = performance.now()
      const result = await run()
      const seconds = (performance.now() - start) / 1_000
      figures.push({ name, seconds, peakMiB: peakResidentMiB(server.pid()) })
      t.comment(`${name}: ${seconds.toFixed(1)} s, ${peakResidentMiB(server.pid()).toFixed(0)} MiB`)
      return result
    }
    await body(t, { folder, server, url: server.repoUrl(account, 'ada/large'), step })
    await keepFigures(title, figures)
  })
}

/** Pushes `source` by git, clones it by git, and compares. */
export async function pushAndClone(t: Test, source: string, { folder, url, step }: LargeRun): Promise<void> {
  await step('push', () => git(source, 'push', '--quiet', '--mirror', url))
  const clone = join(folder, 'clone.git')
  await step('clone', () => git(folder, 'clone', '--quiet', '--mirror', url, clone))
  await sameRepository(t, clone, source)
}

/** Every ref and every object is in both, and git finds no fault. */
export async function sameRepository(t: Test, found: string, wanted: string): Promise<void> {
  t.equal(await describe(found), await describe(wanted), 'the same refs and objects')
  const checked = await run('git', ['fsck', '--full', '--no-dangling', '--no-progress'], { cwd: found })
  t.equal(checked.status, 0, checked.stderr.slice(0, 500))
}

/** Digests: the lists themselves are hundreds of megabytes. */
async function describe(cwd: string): Promise<string> {
  const refs = "git for-each-ref --format='%(objectname) %(refname)' | sha1sum"
  const objects = 'git rev-list --objects --all --no-object-names | sort | uniq | tee >(wc -l >&2) | sha1sum'
  const ran = await run('bash', ['-o', 'pipefail', '-c', `${refs}; ${objects}`], { cwd })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout
}

async function keepFigures(title: string, figures: Figure[]): Promise<void> {
  const all = existsSync(jsonPath) ? (JSON.parse(readFileSync(jsonPath, 'utf8')) as LargeResult[]) : []
  const commit = await git(import.meta.dirname, 'rev-parse', '--short', 'HEAD')
  const day = new Date().toISOString().slice(0, 10)
  const load = Math.round(loadavg()[0] * 10) / 10
  const kept = [...all.filter((result) => result.title !== title), { title, commit, day, load, figures }]
  kept.sort((a, b) => (a.title < b.title ? -1 : 1))
  writeFileSync(jsonPath, `${JSON.stringify(kept, null, 1)}\n`)
  writeFileSync(tablePath, formatTable(kept))
}

function formatTable(results: readonly LargeResult[]): string {
  const lines = results.flatMap(({ title, commit, day, load, figures }) =>
    figures.map(({ name, seconds, peakMiB }) => {
      const mark = peakMiB > aimMiB ? ' ✗' : ''
      return `| ${title} | ${name} | ${seconds.toFixed(1)} | ${Math.round(peakMiB)}${mark} | ${day}, ${commit}, load ${load} |`
    }),
  )
  return `# Results of \`npm run test:large\`

Written by the run. Real git on the same machine pushes and clones, or replays requests where git itself would take too long;
what comes out is compared with what went in, object by object, and checked by \`git fsck\`. Memory is the most that the server's
process had resident during the step (VmHWM), PostgreSQL apart; ✗: above the aim of ${aimMiB} MiB.

| what | step | seconds | MiB | measured |
|---|---|---:|---:|---|
${lines.join('\n')}
`
}
