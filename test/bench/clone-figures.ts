/**
 * Clones, each measured twice: by git end to end, which includes the client's own work (it indexes what it gets), and the
 * server's work alone: the requests that this git sent, sent again, their answers read and thrown away.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { type Exchange, fetchesIn, record, send } from './exchange.ts'
import { measureFloor } from './floor.ts'
import { type Extent, measurePair, type Pair, type Side } from './measure.ts'
import { onBothSides, processesOf, type RepositoryName, titleOf } from './repositories.ts'
import { type Both, type Measurement, type Row, rowOf } from './row.ts'

const kinds = { 'full clone': [], '--depth=1': ['--depth=1'], '--filter=blob:none': ['--filter=blob:none'] }
const repositories: [RepositoryName, number][] = [
  ['thousands', 1.2],
  ['files', 1.2],
  ['history', 3],
]
const otherAim = 2

export const cloneMeasurements: Measurement[] = repositories.flatMap(([name, fullAim]) =>
  Object.entries(kinds).map(([kind, args]) => ({
    title: `clone: ${name}, ${kind}`,
    run: (bench: Bench) =>
      cloneRows(bench, name, {
        kind,
        args,
        aim: kind === 'full clone' ? fullAim : otherAim,
      }),
  })),
)

interface CloneKind {
  kind: string
  args: string[]
  aim: number
}

async function cloneRows(bench: Bench, name: RepositoryName, { kind, args, aim }: CloneKind): Promise<Row[]> {
  const urls = await onBothSides(bench, name)
  const processes = await processesOf(bench)
  const target = join(bench.folder, 'clone.git')
  const clone = async (url: string) => {
    await git(bench.folder, 'clone', '--quiet', '--bare', ...args, url, target)
    return async () => rmSync(target, { recursive: true })
  }
  const recorded = {
    ours: await record(urls.ours, async (url) => (await clone(url))()),
    theirs: await record(urls.theirs, async (url) => (await clone(url))()),
  }
  const alone = await measureReplay(bench, urls, { ours: fetchesIn(recorded.ours), theirs: fetchesIn(recorded.theirs) })
  const side = (of: 'ours' | 'theirs'): Side => ({ processes: processes[of], run: () => clone(urls[of]) })
  // Recorded just now: both sides are warm, and a client that indexes 400,000 objects takes its time.
  const whole = await measurePair(side('ours'), side('theirs'), { rounds: bench.rounds, budgetMs: 25_000, cold: true })
  const floorMs = await measureFloor(urls.ours, clone, whole.rounds)
  const title = `${await titleOf(bench, name)}: ${kind}`
  return [
    rowOf(`${title}, end to end`, whole, { aim, best: whole.theirs.medianMs / floorMs }),
    rowOf(`${title}, server alone`, alone.pair, { aim, bytesSent: alone.bytesSent }),
  ]
}

export interface Replayed {
  pair: Pair
  bytesSent: Both
}

/** Sends each side's own requests to it, one after another, as often as the time allows. */
export async function measureReplay(
  bench: Bench,
  urls: { ours: string; theirs: string },
  exchanges: { ours: Exchange[]; theirs: Exchange[] },
  extent: Extent = { rounds: bench.rounds * 3, budgetMs: 20_000 },
): Promise<Replayed> {
  const processes = await processesOf(bench)
  const bytesSent = { ours: 0, theirs: 0 }
  const side = (of: 'ours' | 'theirs'): Side => ({
    processes: processes[of],
    async run() {
      let bytes = 0
      for (const exchange of exchanges[of]) bytes += (await send(urls[of], exchange)).bytes
      bytesSent[of] = bytes
    },
  })
  return { pair: await measurePair(side('ours'), side('theirs'), extent), bytesSent }
}
