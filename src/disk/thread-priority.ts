/**
 * The priorities of threads. Where processors are scarce the event loop, which answers everybody, goes first: with
 * three busy threads on two processors a timer came late by 18 ms at the 90th percentile, and by 12 ms where they went
 * behind. Beside four clones and a push, half of that again where it could go ahead.
 */
import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/** A third of the processor's time where others want it too; all of it where nobody does. */
const behind = 5
/** Three times that of others. */
const ahead = -5

/** Lowers the calling thread's priority, on Linux, where threads have one each; elsewhere, or where that is denied, nothing. */
export function lowerThreadPriority(): void {
  setThreadPriority(behind)
}

/** Raises it where the process may (CAP_SYS_NICE), and runs with the priority that processes have unless told otherwise. */
export function raiseThreadPriority(): void {
  if (getPriority() === 0) setThreadPriority(ahead)
}

function setThreadPriority(niceness: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), niceness)
  } catch {
    // Without /proc, in a sandbox, or without the right to: all threads are equal then.
  }
}
