/** Paired measurements: both sides in turn in one run, so that what disturbs the machine disturbs both; medians at the end. */
import { readdirSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

const memoryPollMs = 50

export interface Side {
  /** One round; `round` begins at 0, which is not counted. What it returns, if anything, is done afterwards, untimed. */
  run(round: number): Promise<void | (() => Promise<void>)>
  /** Process ids whose memory, with that of all their descendants, is this side's. */
  pids(): number[]
}

export interface Sample {
  medianMs: number
  /** The largest sum of proportional set sizes seen, MiB. */
  peakMiB: number
}

export interface Pair {
  ours: Sample
  theirs: Sample
  /** The median of the rounds' own ratios, ours by theirs: below 1 is faster. */
  ratio: number
  rounds: number
}

/** Runs both sides `rounds` times in turn, after one round that warms both; which begins changes every round. */
export async function measurePair(ours: Side, theirs: Side, rounds: number): Promise<Pair> {
  const taken = { ours: [] as number[], theirs: [] as number[] }
  const memory = { ours: 0, theirs: 0 }
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const name of order) {
      const { ms, peakMiB } = await measureOnce(name === 'ours' ? ours : theirs, round)
      if (round > 0) taken[name].push(ms)
      memory[name] = Math.max(memory[name], peakMiB)
    }
  }
  return {
    ours: { medianMs: median(taken.ours), peakMiB: memory.ours },
    theirs: { medianMs: median(taken.theirs), peakMiB: memory.theirs },
    ratio: median(taken.ours.map((ms, index) => ms / taken.theirs[index])),
    rounds,
  }
}

export async function measureOnce(side: Side, round: number): Promise<{ ms: number; peakMiB: number }> {
  let peakMiB = 0
  const look = () => {
    peakMiB = Math.max(peakMiB, residentMiB(side.pids()))
  }
  const poll = setInterval(look, memoryPollMs)
  try {
    const start = performance.now()
    const finish = await side.run(round)
    const ms = performance.now() - start
    look()
    await finish?.()
    return { ms, peakMiB }
  } finally {
    clearInterval(poll)
  }
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Proportional set size (proc(5), smaps_rollup) of the processes and all their descendants: shared pages count once. */
function residentMiB(roots: number[]): number {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  let kib = 0
  const pending = [...roots]
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    pending.push(...(children.get(pid) ?? []))
    kib += Number(/^Pss:\s+(\d+)/m.exec(readProc(`${pid}/smaps_rollup`))?.[1] ?? 0)
  }
  return kib / 1024
}

function parentOf(pid: string): number | undefined {
  const found = /\) \S (\d+)/.exec(readProc(`${pid}/stat`))
  return found === null ? undefined : Number(found[1])
}

/** A process may be gone by now. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
