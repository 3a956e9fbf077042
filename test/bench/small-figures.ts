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
import { loadConnections, loadedRow, measureLoad } from './load-figures.ts'
import { measurePair, type Side } from './measure.ts'
import type { Processes } from './processes.ts'
import { onBothSides, processesOf } from './repositories.ts'
import { cGitName, type Measurement, type Row, rowOf } from './row.ts'

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
  const exchangesOf = async (url: string) => {
    const recorded = await recordClone(bench, url)
    return work === 'clone' ? recorded : recorded.filter(isLsRefs)
  }
  const ours = { url: urls.ours, processes: processes.ours, exchanges: await exchangesOf(urls.ours) }
  const theirs = { ...other, exchanges: await exchangesOf(other.url) }
  const name = `3 commits: ${work === 'clone' ? 'clones' : work} per second, ${loadConnections} connections`
  return [loadedRow(await measureLoad(bench, ours, theirs), { name, against: other.name, aim: 15 })]
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
