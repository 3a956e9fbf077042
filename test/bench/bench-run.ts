/** One run of the benchmark: its folder, how often things are repeated, and what is started once, by the first that needs it. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Bench {
  folder: string
  /** How often a pair of ordinary length is repeated. */
  rounds: number
  /** Done at the end of the run, the last first. */
  teardown(run: () => unknown): void
}

/** A run in a temporary folder; `close` undoes everything. */
export function openBench(rounds: number): Bench & { close(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  // Started by root, embedded PostgreSQL runs as an ordinary user, who must be able to pass through.
  chmodSync(folder, 0o711)
  const teardowns: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })]
  return {
    folder,
    rounds,
    teardown: (run) => teardowns.push(run),
    async close() {
      for (let run = teardowns.pop(); run !== undefined; run = teardowns.pop()) {
        await Promise.resolve(run()).catch((error: unknown) => console.error(error))
      }
    },
  }
}

/** What a run makes once for each key, however many measurements ask for it. A failure is remembered as well. */
export function shared<Key extends string, T>(
  make: (bench: Bench, key: Key) => Promise<T>,
): (bench: Bench, key: Key) => Promise<T> {
  const made = new WeakMap<Bench, Map<Key, Promise<T>>>()
  return (bench, key) => {
    const ofRun = made.get(bench) ?? new Map<Key, Promise<T>>()
    made.set(bench, ofRun)
    const existing = ofRun.get(key)
    if (existing !== undefined) return existing
    const making = make(bench, key)
    ofRun.set(key, making)
    return making
  }
}
