/**
 * `npm run bench`: Holdfast against C git behind nginx, and against nginx and MinIO for LFS bytes. Every figure is a ratio
 * within one run. Writes RESULTS.md beside this file. BENCH_ROUNDS (default 5) is how often each pair is repeated.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { run } from '../support/git.ts'
import { createAccount, findFreePort, startEmbedded, startProduction } from '../support/test-server.ts'
import { startCGit } from './c-git.ts'
import { type Row, rowsOfGit } from './git-figures.ts'
import { rowsOfLfs } from './lfs-figures.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)

const loadBefore = loadavg()[0]
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
const teardowns: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
const scope = { teardown: (teardown: () => unknown) => teardowns.push(teardown) }

try {
  const cGit = await startCGit(folder, await findFreePort())
  teardowns.push(() => cGit.stop())
  const embedded = (await startEmbedded(scope)).servers[0]
  const bench = { folder, rounds, cGit, server: embedded, account: await createAccount(embedded, 'ada') }
  const rows = [...(await rowsOfGit(bench)), ...(await rowsOfLfs({ ...bench, kind: 'embedded' }))]

  const production = await startProduction(scope, 1)
  const server = production.servers[0]
  rows.push(
    ...(await rowsOfLfs({
      ...bench,
      kind: 'production',
      server,
      account: await createAccount(server, 'ada'),
      production,
    })),
  )
  const report = await writeReport(rows)
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), report)
  console.log(report)
} finally {
  for (const teardown of teardowns.reverse()) await teardown()
}

async function writeReport(rows: Row[]): Promise<string> {
  const version = async (program: string, ...args: string[]) => {
    const ran = await run(program, args)
    return `${ran.stdout}${ran.stderr}`.trim().split('\n')[0]
  }
  const head = await version('git', '-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD')
  const ms = (value: number) => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'))
  const lines = rows.map(({ name, against, ours, theirs, ratio, rounds }) =>
    [
      '',
      name,
      ms(ours.medianMs),
      theirs === undefined ? '–' : ms(theirs.medianMs),
      ratio === undefined ? '–' : `**${ratio.toFixed(2)}**`,
      Math.round(ours.peakMiB),
      theirs === undefined ? '–' : Math.round(theirs.peakMiB),
      against,
      rounds,
      '',
    ]
      .join(' | ')
      .trim(),
  )
  return `# Results of \`npm run bench\`

Written by the program, ${new Date().toISOString().slice(0, 10)}, at commit ${head}. A ratio below 1 means that Holdfast took less time. Both sides ran in
turn on one machine, with the clients; each ratio is the median of the rounds' own ratios. Memory is the peak of the
proportional set size of all the server's processes (Holdfast embedded: with its PostgreSQL).

- machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; load average before the run: ${loadBefore.toFixed(1)}
- Node ${process.version}; ${await version('git', '--version')}; ${await version('nginx', '-v')}; ${await version('git-lfs', '--version')}

| what | Holdfast ms | other ms | ratio | Holdfast MiB | other MiB | other | rounds |
|---|---:|---:|---:|---:|---:|---|---:|
${lines.join('\n')}
`
}
