/**
 * Paired measurements: both sides in turn in one run, so that what disturbs the machine disturbs both; medians at the end.
 * A ratio above 1 always means that Holdfast is faster.
 */
import { performance } from 'node:perf_hooks'
import { type Processes, residentMiB } from './processes.ts'

/** Reading the memory of a large process takes milliseconds itself. */
const memoryPollMs = 200
const roundsMin = 2

export interface Side {
  /** Before a round, untimed. */
  prepare?(round: number): Promise<void>
  /** One round; `round` begins at 0, which is not counted. What it returns, if anything, is done afterwards, untimed. */
  run(round: number): Promise<void | (() => Promise<void>)>
  processes: Processes
}

/** What one round took. */
export interface Round {
  ms: number
  cpuSeconds: number
  peakMiB: number
}

export interface Sample {
  medianMs: number
  p99Ms: number
  /** A round's share of the processor time of all rounds. */
  cpuSeconds: number
  peakMiB: number
}

export interface Pair {
  ours: Sample
  theirs: Sample
  /** The median of the rounds' own ratios. */
  ratio: number
  rounds: number
}

export interface Extent {
  rounds: number
  /** Ends earlier, after two rounds or more, when this much time has passed. */
  budgetMs?: number
  /** Without a round before that is not counted: where a round is long, and warmth matters little. */
  cold?: boolean
}

/** Runs both sides `rounds` times in turn, after one round that warms both; which begins changes every round. */
export async function measurePair(ours: Side, theirs: Side, extent: Extent): Promise<Pair> {
  const { rounds, budgetMs = 60_000, cold = false } = extent
  const taken = { ours: [] as Round[], theirs: [] as Round[] }
  const deadline = Date.now() + budgetMs
  for (let round = cold ? 1 : 0; round <= rounds; round++) {
    if (Date.now() > deadline && round > roundsMin) break
    const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const name of order) {
      const measured = await measureOnce(name === 'ours' ? ours : theirs, round)
      if (round > 0) taken[name].push(measured)
    }
  }
  return {
    ours: toSample(taken.ours),
    theirs: toSample(taken.theirs),
    ratio: median(taken.ours.map(({ ms }, index) => taken.theirs[index].ms / ms)),
    rounds: taken.ours.length,
  }
}

/** One side alone, for what has no counterpart. */
export async function measureAlone(side: Side, rounds: number): Promise<Sample> {
  const taken: Round[] = []
  for (let round = 0; round <= rounds; round++) taken.push(await measureOnce(side, round))
  return toSample(taken.slice(1))
}

export async function measureOnce(side: Side, round: number): Promise<Round> {
  await side.prepare?.(round)
  let peakMiB = 0
  const look = () => {
    peakMiB = Math.max(peakMiB, residentMiB(side.processes.pids()))
  }
  const poll = setInterval(look, memoryPollMs)
  try {
    const cpuBefore = side.processes.cpuSeconds()
    const start = performance.now()
    const finish = await side.run(round)
    const ms = performance.now() - start
    const cpu = side.processes.cpuSeconds() - cpuBefore
    look()
    await finish?.()
    return { ms, cpuSeconds: cpu, peakMiB }
  } finally {
    clearInterval(poll)
  }
}

function toSample(rounds: readonly Round[]): Sample {
  const times = rounds.map(({ ms }) => ms)
  return {
    medianMs: median(times),
    p99Ms: quantile(times, 0.99),
    cpuSeconds: rounds.reduce((sum, round) => sum + round.cpuSeconds, 0) / rounds.length,
    peakMiB: Math.max(...rounds.map(({ peakMiB }) => peakMiB)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The value that `part` of all values do not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]
}
