/**
 * Whole repositories pushed to empty ones: by git end to end, and by the POST alone, whose pack was made before; and that
 * against a C git that checks every object, as Holdfast always does.
 */
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import type { RepositoryOptions } from './c-git.ts'
import { embeddedOf } from './holdfast.ts'
import { measurePair, type Side } from './measure.ts'
import { pushRequest, sendPush } from './push-series.ts'
import { cGitOf, type RepositoryName, sourceOf, titleOf } from './repositories.ts'
import { type Measurement, type Row, rowOf } from './row.ts'

const works: [RepositoryName, number][] = [
  ['files', 1],
  ['blobs', 1.5],
  ['history', 1.5],
]

export const largePushMeasurements: Measurement[] = works.map(([name, aim]) => ({
  title: `push: all of ${name}`,
  run: (bench) => largePushRows(bench, name, aim),
}))

async function largePushRows(bench: Bench, name: RepositoryName, aim: number): Promise<Row[]> {
  const source = await sourceOf(bench, name)
  const ref = await git(source, 'symbolic-ref', 'HEAD')
  const newId = await git(source, 'rev-parse', ref)
  const prepared = await pushRequest(source, [{ ref, newId }])
  const post = (url: string) => sendPush(url, prepared)
  const push = (url: string) => git(source, 'push', '--quiet', url, `${ref}:${ref}`)
  const alone = await measurePair(...(await sides(bench, name, post)), { rounds: 3, budgetMs: 60_000, cold: true })
  const whole = await measurePair(...(await sides(bench, name, push)), { rounds: 2, budgetMs: 1, cold: true })
  const checking = await measurePair(...(await sides(bench, name, post, { checksObjects: true })), {
    rounds: 3,
    budgetMs: 60_000,
    cold: true,
  })
  const title = `push of ${await titleOf(bench, name)}`
  return [
    rowOf(`${title}, end to end`, whole, { aim }),
    rowOf(`${title}, server alone`, alone, { aim }),
    rowOf(`${title}, server alone, against C git with transfer.fsckObjects=true`, checking),
  ]
}

let madeCount = 0

/** Every round goes to a new, empty repository; what it leaves for the background is waited for, untimed. */
async function sides(
  bench: Bench,
  name: string,
  work: (url: string) => Promise<unknown>,
  theirOptions: RepositoryOptions = {},
): Promise<[Side, Side]> {
  const [cGit, holdfast] = [await cGitOf(bench, 'c-git'), await embeddedOf(bench, 'embedded')]
  const urls = { ours: '', theirs: '' }
  let last = ''
  const ours: Side = {
    processes: holdfast.processes,
    async prepare() {
      urls.ours = await holdfast.addRepository(`push-${name}-${++madeCount}`)
    },
    async run() {
      await work(urls.ours)
      return () => holdfast.settle()
    },
  }
  const theirs: Side = {
    processes: cGit.processes,
    async prepare() {
      last = `push-${name}-${++madeCount}`
      urls.theirs = await cGit.addRepository(undefined, last, theirOptions)
    },
    async run() {
      await work(urls.theirs)
      return async () => cGit.removeRepository(last)
    },
  }
  return [ours, theirs]
}
