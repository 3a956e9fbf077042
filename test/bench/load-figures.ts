/** Two servers under the same load in turn: how many answers a second. */
import type { Bench } from './bench-run.ts'
import type { Exchange } from './exchange.ts'
import { applyLoad, type LoadFigures } from './load.ts'
import { median } from './measure.ts'
import { type Processes, residentMiB } from './processes.ts'
import type { Both, Row } from './row.ts'

export const loadConnections = 16
const loadSeconds = 4
const warmUpSeconds = 2
const roundsMin = 3

export interface LoadedSide {
  url: string
  processes: Processes
  /** What is sent over and over; one of what is counted is all of them. */
  exchanges: readonly Exchange[]
}

interface Loaded extends LoadFigures {
  cpuSeconds: number
  peakMiB: number
}

export interface LoadPair {
  ours: Loaded[]
  theirs: Loaded[]
}

/** Both sides warm, then in turn. */
export async function measureLoad(bench: Bench, ours: LoadedSide, theirs: LoadedSide): Promise<LoadPair> {
  const load = { ours: await warmUp(bench, ours), theirs: await warmUp(bench, theirs) }
  const pair: LoadPair = { ours: [], theirs: [] }
  for (let round = 0; round < Math.max(roundsMin, bench.rounds); round++) {
    pair.ours.push(await load.ours())
    pair.theirs.push(await load.theirs())
  }
  return pair
}

/** A row of medians per second. */
export function loadedRow({ ours, theirs }: LoadPair, row: Pick<Row, 'name' | 'against' | 'aim'>): Row {
  const middle = (side: Loaded[], of: (loaded: Loaded) => number) => median(side.map(of))
  const both = (of: (loaded: Loaded) => number): Required<Both> => ({
    ours: middle(ours, of),
    theirs: middle(theirs, of),
  })
  return {
    ...row,
    unit: '/s',
    ...both(({ perSecond }) => perSecond),
    ratio: median(ours.map(({ perSecond }, index) => perSecond / theirs[index].perSecond)),
    cpuSeconds: both((loaded) => loaded.cpuSeconds),
    peakMiB: both((loaded) => loaded.peakMiB),
    rounds: ours.length,
    note: 'wrk, connections kept open; authentication and database included',
  }
}

async function warmUp(bench: Bench, { url, processes, exchanges }: LoadedSide): Promise<() => Promise<Loaded>> {
  const load = { url, exchanges, connections: loadConnections }
  await applyLoad(bench.folder, { ...load, seconds: warmUpSeconds })
  return async () => {
    const before = processes.cpuSeconds()
    const figures = await applyLoad(bench.folder, { ...load, seconds: loadSeconds })
    const cpuSeconds = (processes.cpuSeconds() - before) / (figures.requests / exchanges.length)
    const perSecond = figures.perSecond / exchanges.length
    return { ...figures, perSecond, cpuSeconds, peakMiB: residentMiB(processes.pids()) }
  }
}
