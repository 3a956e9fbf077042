/**
 * The processor time of everything that a command starts, by a control group (cgroups(7)). fcgiwrap ignores SIGCHLD, so
 * the kernel forgets what its children took, and they are C git's whole work.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface CpuAccount {
  /** The command with what puts it into the account before it. */
  command(program: string, args: string[]): [string, string[]]
  /** NaN where this process may not make control groups. */
  cpuSeconds(): number
  /** Everything in it has been told to end. */
  close(): Promise<void>
}

const root = '/sys/fs/cgroup'
const isFirstVersion = existsSync(join(root, 'cpuacct'))

export function openCpuAccount(): CpuAccount {
  const group = join(root, isFirstVersion ? 'cpuacct' : '', `holdfast-bench-${process.pid}`)
  try {
    mkdirSync(group)
  } catch {
    return { command: (program, args) => [program, args], cpuSeconds: () => Number.NaN, async close() {} }
  }
  const enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
  return {
    command: (program, args) => ['sh', ['-c', enter, group, program, ...args]],
    cpuSeconds: () => (isFirstVersion ? readNanoseconds(group) / 1e9 : readMicroseconds(group) / 1e6),
    close: () => removeWhenEmpty(group),
  }
}

function readNanoseconds(group: string): number {
  return Number(readFileSync(join(group, 'cpuacct.usage'), 'utf8'))
}

function readMicroseconds(group: string): number {
  return Number(/^usage_usec (\d+)/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1] ?? Number.NaN)
}

/** A process leaves its group some time after it has ended; whether the group goes or stays does no harm. */
async function removeWhenEmpty(group: string): Promise<void> {
  for (let tries = 100; readFileSync(join(group, 'cgroup.procs'), 'utf8') !== '' && tries > 0; tries--) await pause(50)
  try {
    rmdirSync(group)
  } catch {}
}
