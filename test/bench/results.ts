/**
 * The table: results.json keeps every row with the commit, day and machine it was measured at, so that one row can be measured
 * anew, and RESULTS.md is written from it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { run } from '../support/git.ts'
import type { Both, Row } from './row.ts'

/** Where and on what a row was measured. */
export interface Origin {
  commit: string
  day: string
  /** The load average before the run: above 1, others were at work on the machine. */
  load: number
  machine: string
  versions: string
}

export interface Result {
  /** Of the measurement: a new run of it replaces all of its rows. */
  title: string
  origin: Origin
  rows: Row[]
  /** Why there are none. */
  failure?: string
}

const jsonPath = join(import.meta.dirname, 'results.json')
const tablePath = join(import.meta.dirname, 'RESULTS.md')

export function readResults(): Result[] {
  return existsSync(jsonPath) ? (JSON.parse(readFileSync(jsonPath, 'utf8')) as Result[]) : []
}

/** Puts the new result in the place of the last one of its title, in the order of `titles`, and writes both files. */
export function keepResult(result: Result, titles: readonly string[]): void {
  const others = readResults().filter(({ title }) => title !== result.title && titles.includes(title))
  const all = [...others, result].sort((a, b) => titles.indexOf(a.title) - titles.indexOf(b.title))
  writeFileSync(jsonPath, `${JSON.stringify(all, null, 1)}\n`)
  writeFileSync(tablePath, formatTable(all))
}

export async function readOrigin(): Promise<Origin> {
  const version = async (program: string, ...args: string[]) => {
    const ran = await run(program, args)
    return `${ran.stdout}${ran.stderr}`.trim().split('\n')[0]
  }
  const head = await version('git', '-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD')
  const tools = [version('git', '--version'), version('nginx', '-v'), version('git-lfs', '--version')]
  return {
    commit: head,
    day: new Date().toISOString().slice(0, 10),
    load: Math.round(loadavg()[0] * 10) / 10,
    machine: `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    versions: [`Node ${process.version}`, ...(await Promise.all(tools))].join('; '),
  }
}

function formatTable(results: readonly Result[]): string {
  const origins = results.map(({ origin }) => `${origin.machine}; ${origin.versions}`)
  const lines = results.flatMap((result) =>
    result.failure === undefined
      ? result.rows.map((row) => formatRow(row, result.origin))
      : [
          `| ${result.title} | not measured: ${escaped(result.failure)} |${' |'.repeat(10)} ${formatOrigin(result.origin)} |`,
        ],
  )
  return `# Results of \`npm run bench\`

Written by the program. **A ratio above 1 means that Holdfast is faster**: the median of the rounds' own ratios, both sides having run
in turn on one machine, with the clients. ✗ marks an aim that is missed. *End to end* is a real git with all of its own work;
*server alone* sends the requests that this git sent over a plain socket, and throws the answers away. *Best* is the ratio that this
git reaches with a server that has every answer ready in memory: what is missing there is the client's own time. Clones are bare, from an
embedded Holdfast at rest (no background job is left), and from C git with one pack, bitmaps and commit-graph, whose
defaults it has: it checks no pushed object. Processor time is that of all the server's processes, PostgreSQL
included, for one round or request; memory is the peak of their proportional set size (C git's without the page cache).
*Measured* names the day, Holdfast's commit, and the machine's load average before the run: well above 0.5, others were at work on it. The database
round trips and bucket requests of a push and a clone are held by test/e2e/request-costs.test.ts.

${[...new Set(origins)].map((origin) => `- ${origin}`).join('\n')}

| what | ratio | aim | best | Holdfast | other | unit | CPU s | bytes sent | MiB | other is | rounds | measured |
|---|---:|---:|---:|---:|---:|---|---:|---:|---:|---|---:|---|
${lines.join('\n')}

${notesOf(results)}
`
}

function formatRow(row: Row, origin: Origin): string {
  const cells = [
    row.name,
    row.ratio === undefined ? '–' : `**${formatNumber(row.ratio)}**`,
    formatAim(row),
    row.best === undefined ? '' : formatNumber(row.best),
    formatNumber(row.ours),
    row.theirs === undefined ? '–' : formatNumber(row.theirs),
    row.unit,
    formatBoth(row.cpuSeconds, (seconds) => formatNumber(seconds)),
    formatBoth(row.bytesSent, (bytes) => Math.round(bytes).toLocaleString('en')),
    formatBoth(row.peakMiB, (mib) => String(Math.round(mib))),
    row.against,
    row.rounds,
    formatOrigin(origin),
  ]
  return `| ${cells.map((cell) => escaped(String(cell))).join(' | ')} |`
}

function formatAim({ aim, aimAtMost, aimAtLeast, ratio = 0, ours, unit }: Row): string {
  if (aim !== undefined) return `${formatNumber(aim)}${ratio < aim ? ' ✗' : ''}`
  if (aimAtMost !== undefined) return `≤ ${aimAtMost} ${unit}${ours > aimAtMost ? ' ✗' : ''}`
  if (aimAtLeast !== undefined) return `≥ ${aimAtLeast} ${unit}${ours < aimAtLeast ? ' ✗' : ''}`
  return ''
}

function formatBoth(both: Both | undefined, format: (value: number) => string): string {
  if (both === undefined) return ''
  return both.theirs === undefined ? format(both.ours) : `${format(both.ours)} : ${format(both.theirs)}`
}

/** Three digits that count. */
function formatNumber(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en')
  if (Number.isNaN(value)) return '–'
  return value === 0 ? '0' : Number(value.toPrecision(3)).toString()
}

function formatOrigin({ commit, day, load }: Origin): string {
  return `${day}, ${commit}, load ${load}`
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function notesOf(results: readonly Result[]): string {
  const notes = results.flatMap(({ rows }) => rows.filter(({ note }) => note !== undefined))
  return notes.map(({ name, note }) => `- ${name}: ${note}`).join('\n')
}
