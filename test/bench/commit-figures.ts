/** Commits through the Hub API: many writers at once, of whom none may be lost, and one commit of 100,000 files. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { embeddedOf, type Holdfast } from './holdfast.ts'
import { commitLines } from './hub-load.ts'
import { measureOnce } from './measure.ts'
import { forgetPeakResident, peakResidentMiB } from './processes.ts'
import type { Measurement, Row } from './row.ts'

const writers = 64
const writeSeconds = 10
const largeCount = 100_000

export const commitMeasurements: Measurement[] = [
  { title: 'hub: commits of 64 writers, one branch', run: (bench) => writersRows(bench, 'one branch', 20) },
  { title: 'hub: commits of 64 writers, 64 branches', run: (bench) => writersRows(bench, '64 branches', 200) },
  { title: 'hub: one commit of 100,000 files', run: largeCommitRows },
]

/** Every writer commits one small file after the other, under paths of its own. */
async function writersRows(bench: Bench, where: 'one branch' | '64 branches', aimAtLeast: number): Promise<Row[]> {
  const holdfast = await embeddedOf(bench, 'embedded')
  const name = where.replace(' ', '-')
  const url = await holdfast.addRepository(name)
  await commit(holdfast, name, 'main', commitLines('Begin', [{ path: 'README.md', content: 'Begin\n' }]))
  const work = join(bench.folder, `${name}.git`)
  const branchOf = (writer: number) => (where === 'one branch' ? 'main' : `writer-${writer}`)
  if (where === '64 branches') {
    await git(bench.folder, 'clone', '--quiet', '--bare', url, work)
    const refs = Array.from({ length: writers }, (_, writer) => `main:refs/heads/${branchOf(writer)}`)
    await git(work, 'push', '--quiet', url, ...refs)
    rmSync(work, { recursive: true })
  }
  await holdfast.settle()

  const start = performance.now()
  const counts = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      let count = 0
      for (; performance.now() - start < writeSeconds * 1000; count++) {
        const file = { path: `writer-${writer}/${count}.txt`, content: `${count}\n` }
        await commit(holdfast, name, branchOf(writer), commitLines(`Write ${writer} ${count}`, [file]))
      }
      return count
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const written = counts.reduce((sum, count) => sum + count, 0)

  await git(bench.folder, 'clone', '--quiet', '--bare', url, work)
  const commits = Number(await git(work, 'rev-list', '--count', '--all', '--grep=^Write'))
  if (commits !== written) throw new Error(`${written} commits were acknowledged, and ${commits} are there`)
  for (const [writer, count] of counts.entries()) {
    const files = await git(work, 'ls-tree', '--name-only', `${branchOf(writer)}:writer-${writer}`)
    if (files.split('\n').length !== count) throw new Error(`Files of writer ${writer} are lost`)
  }
  rmSync(work, { recursive: true })
  const title = `commits per second, ${writers} writers, ${where}`
  const note = 'none lost: counted in a clone'
  return [{ name: title, against: '–', unit: '/s', ours: written / seconds, aimAtLeast, rounds: written, note }]
}

async function largeCommitRows(bench: Bench): Promise<Row[]> {
  const holdfast = await embeddedOf(bench, 'embedded')
  await holdfast.addRepository('large-commit')
  await commit(holdfast, 'large-commit', 'main', commitLines('Begin', [{ path: 'README.md', content: 'Begin\n' }]))
  function* files() {
    for (let file = 0; file < largeCount; file++) {
      yield { path: `part-${file % 100}/file-${file}.json`, content: `{"file": ${file}}\n` }
    }
  }
  forgetPeakResident(holdfast.server.pid())
  const { ms, cpuSeconds } = await measureOnce(
    {
      processes: holdfast.processes,
      run: () => commit(holdfast, 'large-commit', 'main', commitLines('Everything', files())),
    },
    1,
  )
  const name = `one commit of ${largeCount.toLocaleString('en')} files`
  const memory = peakResidentMiB(holdfast.server.pid())
  return [
    { name, against: '–', unit: 'ms', ours: ms, aimAtMost: 30_000, cpuSeconds: { ours: cpuSeconds }, rounds: 1 },
    { name: `${name}: resident memory`, against: '–', unit: 'MiB', ours: memory, aimAtMost: 500, rounds: 1 },
  ]
}

/** Sends the lines as they are made. Throws where the commit is refused. */
async function commit(holdfast: Holdfast, name: string, branch: string, lines: Iterable<string>): Promise<void> {
  const answer = await fetch(`${holdfast.server.url}/api/models/ada/${name}/commit/${branch}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${holdfast.account.token}`, 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(batched(lines), { objectMode: false })) as ReadableStream,
    duplex: 'half',
  } as RequestInit)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`A commit to ${branch} ended with ${answer.status}: ${text}`)
}

/** Few long chunks in place of one a line. */
function* batched(lines: Iterable<string>): Generator<string> {
  let batch = ''
  for (const line of lines) {
    batch += line
    if (batch.length < 65_536) continue
    yield batch
    batch = ''
  }
  yield batch
}
