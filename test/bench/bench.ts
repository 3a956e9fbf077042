/**
 * `npm run bench [-- words]`: Holdfast against C git behind nginx, against soft-serve, and against nginx and MinIO for LFS
 * bytes; and the Hub API. Measures what has one of the words in its title; all of it without any. Every result is kept as soon as it is
 * there (results.ts), so that an interrupted run is continued by name.
 *
 * BENCH_ROUNDS (default 5) is how often each pair is repeated; BENCH_REPOSITORY names a bare repository with a long real
 * history, in place of a generated one; BENCH_MINUTES (default 40) is when no further measurement is begun.
 */
import { openBench } from './bench-run.ts'
import { cloneMeasurements } from './clone-figures.ts'
import { coldMeasurements } from './cold-figures.ts'
import { commitMeasurements } from './commit-figures.ts'
import { fairnessMeasurements } from './fairness-figures.ts'
import { fetchMeasurements } from './fetch-figures.ts'
import { hubMeasurements } from './hub-figures.ts'
import { largePushMeasurements } from './large-push-figures.ts'
import { lfsMeasurements } from './lfs-figures.ts'
import { pushMeasurements } from './push-figures.ts'
import { refsMeasurements } from './refs-figures.ts'
import { keepResult, readOrigin } from './results.ts'
import { type Measurement, NotMeasured } from './row.ts'
import { smallMeasurements } from './small-figures.ts'
import { softServeMeasurements } from './soft-serve-figures.ts'

const all: Measurement[] = [
  ...smallMeasurements,
  ...cloneMeasurements,
  ...fetchMeasurements,
  ...pushMeasurements,
  ...largePushMeasurements,
  ...refsMeasurements,
  ...coldMeasurements,
  ...fairnessMeasurements,
  ...softServeMeasurements,
  ...lfsMeasurements,
  ...hubMeasurements,
  ...commitMeasurements,
]
const titles = all.map(({ title }) => title)
const words = process.argv.slice(2)
const chosen = all.filter(({ title }) => words.length === 0 || words.some((word) => title.includes(word)))
if (chosen.length === 0) {
  console.error(`Nothing is called so. There are:\n${titles.join('\n')}`)
  process.exit(1)
}

const bench = openBench(Number(process.env.BENCH_ROUNDS ?? 5))
const startedAt = Date.now()
const minutes = () => (Date.now() - startedAt) / 60_000
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => bench.close().finally(() => process.exit(130)))

try {
  const origin = await readOrigin()
  for (const [number, { title, run }] of chosen.entries()) {
    if (minutes() > Number(process.env.BENCH_MINUTES ?? 40)) {
      console.log(
        `Out of time. Left: ${chosen
          .slice(number)
          .map((left) => left.title)
          .join('; ')}`,
      )
      process.exitCode = 1
      break
    }
    console.log(`${minutes().toFixed(1)} min  ${number + 1}/${chosen.length}  ${title}`)
    try {
      const rows = await run(bench)
      keepResult({ title, origin, rows }, titles)
      for (const { name, ratio, ours, theirs, unit } of rows) {
        console.log(
          `  ${ratio?.toFixed(2) ?? '–'}  ${name}: ${ours.toFixed(1)} against ${theirs?.toFixed(1) ?? '–'} ${unit}`,
        )
      }
    } catch (error) {
      console.error(error)
      if (!(error instanceof NotMeasured)) process.exitCode = 1
      keepResult({ title, origin, rows: [], failure: String(error).slice(0, 300) }, titles)
    }
  }
} finally {
  await bench.close()
}
