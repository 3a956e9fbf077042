/** The rows in which soft-serve can take part: small repositories under load, and a full clone. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { measurePair, type Side } from './measure.ts'
import type { Processes } from './processes.ts'
import { onBothSides, processesOf, titleOf } from './repositories.ts'
import { type Measurement, type Row, rowOf } from './row.ts'
import { loadRow, type OtherSide } from './small-figures.ts'
import { softServeOf } from './soft-serve.ts'

const against = 'soft-serve'

export const softServeMeasurements: Measurement[] = [
  {
    title: 'soft-serve: ls-refs per second',
    run: async (bench) => loadRow(bench, 'ls-refs', await smallSide(bench)),
  },
  { title: 'soft-serve: clones per second', run: async (bench) => loadRow(bench, 'clone', await smallSide(bench)) },
  { title: 'soft-serve: full clone', run: cloneRow },
]

async function smallSide(bench: Bench): Promise<OtherSide> {
  const { url, processes } = await softServeOf(bench, 'soft-serve')
  return { name: against, url: `${url}/small`, processes }
}

async function cloneRow(bench: Bench): Promise<Row[]> {
  const soft = await softServeOf(bench, 'soft-serve')
  const { ours } = await onBothSides(bench, 'thousands')
  const target = join(bench.folder, 'clone.git')
  const side = (url: string, processes: Processes): Side => ({
    processes,
    async run() {
      await git(bench.folder, 'clone', '--quiet', '--bare', url, target)
      return async () => rmSync(target, { recursive: true })
    },
  })
  const ourSide = side(ours, (await processesOf(bench)).ours)
  const pair = await measurePair(ourSide, side(`${soft.url}/thousands`, soft.processes), { rounds: bench.rounds })
  return [rowOf(`${await titleOf(bench, 'thousands')}: full clone, end to end`, pair, { against })]
}
