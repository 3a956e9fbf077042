/** What server processes cost, read from proc(5): processor time and resident memory of whole process trees. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** One side's processes. */
export interface Processes {
  pids(): number[]
  /** What they, all their descendants and all that have ended took so far; NaN where that cannot be known. */
  cpuSeconds(): number
}

/** Processes that wait for their children: the kernel then adds what those took. */
export function processTree(pids: () => number[]): Processes {
  return { pids, cpuSeconds: () => cpuSeconds(pids()) }
}

/** USER_HZ, in which /proc counts; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

function cpuSeconds(roots: readonly number[]): number {
  let ticks = 0
  for (const pid of treeOf(roots)) {
    // utime, stime, cutime, cstime: fields 14 to 17; the second, the name, may hold spaces and parentheses.
    const fields = readProc(`${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/** Proportional set size (smaps_rollup) of the processes and all their descendants: shared pages count once. */
export function residentMiB(roots: readonly number[]): number {
  let kib = 0
  for (const pid of treeOf(roots)) kib += Number(/^Pss:\s+(\d+)/m.exec(readProc(`${pid}/smaps_rollup`))?.[1] ?? 0)
  return kib / 1024
}

/** The most that the process itself ever had resident (VmHWM). */
export function peakResidentMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readProc(`${pid}/status`))?.[1] ?? 0) / 1024
}

/** Begins `peakResidentMiB` anew; the kernel allows it to the process's owner. */
export function forgetPeakResident(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function treeOf(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree: number[] = []
  const pending = [...roots]
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    tree.push(pid)
    pending.push(...(children.get(pid) ?? []))
  }
  return tree
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
