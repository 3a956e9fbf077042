/**
 * A small repository under load: requests per second, authentication and database included on Holdfast's side, and eight
 * real clones at once.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { type Exchange, record } from './exchange.ts'
import { measureFloor } from './floor.ts'
import { applyLoad, type LoadFigures } from './load.ts'
import { measurePair, median, type Side } from './measure.ts'
import { type Processes, residentMiB } from './processes.ts'
import { onBothSides, processesOf } from './repositories.ts'
import { cGitName, type Measurement, type Row, rowOf } from './row.ts'

const connections = 16
const loadSeconds = 4
const warmUpSeconds = 2
const clonesAtOnce = 8

export const smallMeasurements: Measurement[] = [
  { title: 'small: ls-refs per second', run: async (bench) => loadRow(bench, 'ls-refs', await cGitSide(bench)) },
  { title: 'small: clones per second', run: async (bench) => loadRow(bench, 'clone', await cGitSide(bench)) },
  { title: 'small: git clone, 8 at once', run: clonesAtOnceRow },
]

/** Another server with the small repository. */
export interface OtherSide {
  name: string
  url: string
  processes: Processes
}

async function cGitSide(bench: Bench): Promise<OtherSide> {
  const { theirs } = await onBothSides(bench, 'small')
  return { name: cGitName, url: theirs, processes: (await processesOf(bench)).theirs }
}

/** Requests per second on both sides in turn. */
export async function loadRow(bench: Bench, work: 'ls-refs' | 'clone', other: OtherSide): Promise<Row[]> {
  const urls = await onBothSides(bench, 'small')
  const processes = await processesOf(bench)
  const ours = await loadSide(bench, { url: urls.ours, processes: processes.ours, work })
  const theirs = await loadSide(bench, { ...other, work })
  const taken = { ours: [] as Loaded[], theirs: [] as Loaded[] }
  for (let round = 0; round < Math.max(3, bench.rounds); round++) {
    taken.ours.push(await ours())
    taken.theirs.push(await theirs())
  }
  const middle = (side: Loaded[], of: (loaded: Loaded) => number) => median(side.map(of))
  const both = (of: (loaded: Loaded) => number) => ({ ours: middle(taken.ours, of), theirs: middle(taken.theirs, of) })
  const { ours: ourRate, theirs: theirRate } = both(({ perSecond }) => perSecond)
  const row = {
    name: `3 commits: ${work === 'clone' ? 'clones' : work} per second, ${connections} connections`,
    against: other.name,
    unit: '/s' as const,
    ours: ourRate,
    theirs: theirRate,
    ratio: median(taken.ours.map(({ perSecond }, index) => perSecond / taken.theirs[index].perSecond)),
    aim: 15,
    cpuSeconds: both((loaded) => loaded.cpuSeconds),
    peakMiB: both((loaded) => loaded.peakMiB),
    rounds: taken.ours.length,
    note: 'wrk, connections kept open; authentication and database included',
  }
  return [row]
}

interface Loaded extends LoadFigures {
  cpuSeconds: number
  peakMiB: number
}

interface LoadedSide {
  url: string
  processes: Processes
  work: 'ls-refs' | 'clone'
}

/** Warm, and ready to be put under load again and again. A clone is several requests; figures are of whole clones. */
async function loadSide(bench: Bench, { url, processes, work }: LoadedSide): Promise<() => Promise<Loaded>> {
  const recorded = await recordClone(bench, url)
  const exchanges = work === 'clone' ? recorded : recorded.filter(isLsRefs)
  const load = { url, exchanges, connections }
  await applyLoad(bench.folder, { ...load, seconds: warmUpSeconds })
  return async () => {
    const before = processes.cpuSeconds()
    const figures = await applyLoad(bench.folder, { ...load, seconds: loadSeconds })
    const perClone = (processes.cpuSeconds() - before) / (figures.requests / exchanges.length)
    const perSecond = figures.perSecond / exchanges.length
    return { ...figures, perSecond, cpuSeconds: perClone, peakMiB: residentMiB(processes.pids()) }
  }
}

function isLsRefs({ body }: Exchange): boolean {
  return Buffer.isBuffer(body) && body.includes('command=ls-refs')
}

/** The requests of one `git clone`. Its own credentials come from the address. */
function recordClone({ folder }: Bench, url: string): Promise<Exchange[]> {
  const target = join(folder, 'recorded.git')
  return record(url, async (proxied) => {
    await git(folder, 'clone', '--quiet', '--bare', proxied, target)
    rmSync(target, { recursive: true })
  })
}

async function clonesAtOnceRow(bench: Bench): Promise<Row[]> {
  const { folder, rounds } = bench
  const urls = await onBothSides(bench, 'small')
  const processes = await processesOf(bench)
  const clone = async (url: string) => {
    const targets = Array.from({ length: clonesAtOnce }, (_, number) => join(folder, `at-once-${number}.git`))
    await Promise.all(targets.map((target) => git(folder, 'clone', '--quiet', '--bare', url, target)))
    return async () => {
      for (const target of targets) rmSync(target, { recursive: true })
    }
  }
  const side = (url: string, of: Processes): Side => ({ processes: of, run: () => clone(url) })
  const pair = await measurePair(side(urls.ours, processes.ours), side(urls.theirs, processes.theirs), {
    rounds: rounds * 3,
  })
  const floorMs = await measureFloor(urls.ours, clone, pair.rounds)
  return [rowOf('3 commits: git clone, 8 at once, end to end', pair, { aim: 2, best: pair.theirs.medianMs / floorMs })]
}
