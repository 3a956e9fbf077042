/** A row of the table, and what measures rows. */
import type { Bench } from './bench-run.ts'
import type { Pair } from './measure.ts'

export interface Row {
  name: string
  against: string
  unit: 'ms' | '/s' | 'MB/s' | 'MiB'
  ours: number
  theirs?: number
  /** Above 1: Holdfast is faster. */
  ratio?: number
  /** The ratio that the project wants at least. */
  aim?: number
  /** The ratio of a server that takes no time at all, end to end. */
  best?: number
  /** Holdfast's own figure must not be above this, in the row's unit. */
  aimAtMost?: number
  /** Nor below this. */
  aimAtLeast?: number
  /** Seconds of the servers' processor time for one round or one request. */
  cpuSeconds?: Both
  /** Bytes of the answers to one round. */
  bytesSent?: Both
  /** The largest memory of the servers, MiB. */
  peakMiB?: Both
  rounds: number
  note?: string
}

export interface Both {
  ours: number
  theirs?: number
}

/** The smallest thing that `npm run bench -- <words>` runs by itself: its title holds one of the words. */
export interface Measurement {
  title: string
  run(bench: Bench): Promise<Row[]>
}

/** What is compared with cannot be had on this machine: said in the table, and no failure of the run. */
export class NotMeasured extends Error {
  override name = 'NotMeasured'
}

export const cGitName = 'git http-backend behind nginx'

/** A row of medians. */
export function rowOf(name: string, pair: Pair, more: Partial<Row> = {}): Row {
  const { ours, theirs, ratio, rounds } = pair
  return {
    name,
    against: cGitName,
    unit: 'ms',
    ours: ours.medianMs,
    theirs: theirs.medianMs,
    ratio,
    cpuSeconds: { ours: ours.cpuSeconds, theirs: theirs.cpuSeconds },
    peakMiB: { ours: ours.peakMiB, theirs: theirs.peakMiB },
    rounds,
    ...more,
  }
}

/** The same rounds by their slowest: 99 of 100 were quicker. */
export function p99RowOf(name: string, { ours, theirs, rounds }: Pair, more: Partial<Row> = {}): Row {
  const ratio = theirs.p99Ms / ours.p99Ms
  return { name, against: cGitName, unit: 'ms', ours: ours.p99Ms, theirs: theirs.p99Ms, ratio, rounds, ...more }
}
