/** The Hub API where it reads: a file's headers at a pinned commit, many small files, a large tree, a large database. */
import { rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { git, run } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { embeddedOf, type Holdfast } from './holdfast.ts'
import { headsPerSecond, medianLatencyMs } from './hub-load.ts'
import { curl } from './lfs-client.ts'
import { importHistory, manyEntries, thousandFiles } from './made-history.ts'
import { measurePair, median, type Side } from './measure.ts'
import { cGitOf } from './repositories.ts'
import { cGitName, type Measurement, type Row, rowOf } from './row.ts'

const cache = process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache/holdfast')
const connections = 32
const loadSeconds = 2
const latencyRequests = 300

export const hubMeasurements: Measurement[] = [
  { title: 'hub: HEAD resolve at a pinned commit', run: headRows },
  { title: 'hub: hf download of 1,000 small files', run: downloadRows },
  { title: 'hub: tree of 1,000,000 entries', run: treeRows },
  { title: 'hub: 1,000,000 repositories', run: manyRepositoriesRows },
]

interface Pinned {
  holdfast: Holdfast
  commitId: string
  headers: { authorization: string }
}

/** A repository of that history, imported. */
async function importedOf(bench: Bench, name: string, history: Iterable<string>): Promise<Pinned & { source: string }> {
  const holdfast = await embeddedOf(bench, 'embedded')
  const source = await importHistory(join(bench.folder, `source-${name}.git`), history)
  await holdfast.server.holdfast('import', source, `ada/${name}`)
  await holdfast.settle()
  const headers = { authorization: `Bearer ${holdfast.account.token}` }
  return { holdfast, source, headers, commitId: await git(source, 'rev-parse', 'main') }
}

async function headRows(bench: Bench): Promise<Row[]> {
  const { holdfast, commitId, headers } = await importedOf(bench, 'heads', thousandFiles())
  const cGit = await cGitOf(bench, 'c-git')
  const file = join(bench.folder, 'head.json')
  writeFileSync(file, '{"file": 0}\n')
  await curl(['--upload-file', file, `${cGit.url}/dav/head.json`])
  const load = { connections, seconds: loadSeconds }
  const ours = `${holdfast.server.url}/ada/heads/resolve/${commitId}/file-0.json`
  const taken: { ours: number; theirs: number }[] = []
  for (let round = 0; round <= bench.rounds; round++) {
    const rates = {
      ours: await headsPerSecond({ ...load, url: ours, headers }),
      theirs: await headsPerSecond({ ...load, url: `${cGit.url}/dav/head.json`, headers: {} }),
    }
    if (round > 0) taken.push(rates)
  }
  return [
    {
      name: `HEAD resolve at a pinned commit, per second, ${connections} connections`,
      against: 'nginx, a static file',
      unit: '/s',
      ours: median(taken.map((rates) => rates.ours)),
      theirs: median(taken.map((rates) => rates.theirs)),
      ratio: median(taken.map((rates) => rates.ours / rates.theirs)),
      aim: 0.15,
      rounds: taken.length,
      note: 'one sender for both sides; token and database included',
    },
  ]
}

async function downloadRows(bench: Bench): Promise<Row[]> {
  const { holdfast, source } = await importedOf(bench, 'small-files', thousandFiles())
  const cGit = await cGitOf(bench, 'c-git')
  const theirs = await cGit.addRepository(source, 'small-files')
  const home = join(bench.folder, 'hf-home')
  const target = join(bench.folder, 'small-files')
  const remove = async () => {
    for (const path of [home, target]) rmSync(path, { recursive: true, force: true })
  }
  const env = {
    HF_ENDPOINT: holdfast.server.url,
    HF_TOKEN: holdfast.account.token,
    HF_HOME: home,
    HF_HUB_DISABLE_XET: '1',
  }
  const download: Side = {
    processes: holdfast.processes,
    async run() {
      const ran = await run(join(cache, 'python/bin/hf'), ['download', 'ada/small-files', '--quiet'], { env })
      if (ran.status !== 0) throw new Error(ran.stderr)
      return remove
    },
  }
  const clone: Side = {
    processes: cGit.processes,
    async run() {
      await git(bench.folder, 'clone', '--quiet', theirs, target)
      return remove
    },
  }
  const pair = await measurePair(download, clone, { rounds: bench.rounds })
  return [rowOf('hf download of 1,000 small files', pair, { against: `git clone of the same from ${cGitName}` })]
}

/** The first page as clients ask for it; recursion leaves the order of the folders. */
async function treeRows(bench: Bench): Promise<Row[]> {
  const { holdfast, commitId, headers } = await importedOf(bench, 'entries', manyEntries())
  const tree = `${holdfast.server.url}/api/models/ada/entries/tree/${commitId}`
  const rows: Row[] = []
  for (const [what, url] of Object.entries({
    'a folder': `${tree}/part-500`,
    'all, recursive': `${tree}?recursive=true`,
  })) {
    const ours = await medianLatencyMs(url, { headers }, Math.min(latencyRequests, 20 * bench.rounds))
    const name = `tree of a repository of 1,000,000 entries, first page of ${what}`
    rows.push({ name, against: '–', unit: 'ms', ours, aimAtMost: 50, rounds: 20 * bench.rounds })
  }
  return rows
}

async function manyRepositoriesRows(bench: Bench): Promise<Row[]> {
  const { holdfast, commitId, headers } = await importedOf(bench, 'one-of-many', thousandFiles())
  const { url } = holdfast.server
  const requests = {
    info: { url: `${url}/api/models/ada/one-of-many`, init: { headers } },
    resolve: { url: `${url}/ada/one-of-many/resolve/${commitId}/file-7.json`, init: { headers, method: 'HEAD' } },
  }
  const measure = async (what: keyof typeof requests) =>
    await medianLatencyMs(requests[what].url, requests[what].init, latencyRequests)
  const rows: Row[] = []
  const few = await fillDatabase(holdfast, 1_000, async () => ({
    info: await measure('info'),
    resolve: await measure('resolve'),
  }))
  const many = await fillDatabase(holdfast, 1_000_000, async () => ({
    info: await measure('info'),
    resolve: await measure('resolve'),
  }))
  for (const what of ['info', 'resolve'] as const) {
    rows.push({
      name: `${what === 'info' ? 'info' : 'HEAD resolve'} with 1,000,000 repositories in the database`,
      against: 'the same with 1,000',
      unit: 'ms',
      ours: many[what],
      theirs: few[what],
      ratio: few[what] / many[what],
      aim: 1 / 1.2,
      rounds: latencyRequests,
    })
  }
  return rows
}

/** Does `work` while that many more repositories, of a thousand owners, have rows; they are gone afterwards. */
async function fillDatabase<T>({ database }: Holdfast, count: number, work: () => Promise<T>): Promise<T> {
  // Without the checks of foreign keys, row by row, that would take minutes.
  await database.query('set session_replication_role = replica')
  await database.query(
    `insert into namespaces (name, kind) select 'owner-' || n, 'organization' from generate_series(0, 999) n`,
  )
  await database.query(`insert into organizations (id) select id from namespaces where name like 'owner-%'`)
  await database.query(
    `insert into repos (namespace_id, type, name, visibility)
     select owner.id, 'model', 'repo-' || n, 'public'
     from generate_series(1, $1::int) n
     join namespaces owner on owner.name = 'owner-' || (n % 1000)`,
    [count],
  )
  await database.query('vacuum analyze repos')
  try {
    return await work()
  } finally {
    await database.query(`delete from repos where name like 'repo-%'`)
    await database.query(`delete from organizations where id in (select id from namespaces where name like 'owner-%')`)
    await database.query(`delete from namespaces where name like 'owner-%'`)
    await database.query('reset session_replication_role')
  }
}
