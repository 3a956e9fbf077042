/**
 * Pushes of one commit, by the half and by the slowest of a hundred: by git end to end, and by the POST alone. Against the
 * embedded deployment, and against one whose bucket is 20 ms away; C git has its disk beside it both times.
 */
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import type { Exchange } from './exchange.ts'
import { embeddedOf, type Holdfast } from './holdfast.ts'
import { measurePair, type Side } from './measure.ts'
import type { Processes } from './processes.ts'
import { farRoundTripMs, productionOf } from './production.ts'
import { makeSeries, pushAllRefs, pushRequest, type Series, sendPush } from './push-series.ts'
import { cGitOf, sourceOf, titleOf } from './repositories.ts'
import { cGitName, type Measurement, p99RowOf, type Row, rowOf } from './row.ts'

const alonePushes = 200
const wholePushes = 100
const writers = 16
const pushesPerWriter = 12
const ref = 'refs/heads/main'

export const pushMeasurements: Measurement[] = [
  { title: 'push: one commit', run: async (bench) => pushRows(bench, await embeddedOf(bench, 'embedded'), '') },
  {
    title: 'push: one commit, bucket far away',
    run: async (bench) =>
      pushRows(bench, await productionOf(bench, 'far'), `, ${farRoundTripMs} ms to Holdfast's bucket`),
  },
  { title: 'push: 16 writers to 16 branches', run: writersRow },
]

interface Target {
  ours: string
  theirs: string
  holdfast: Holdfast
}

/** A repository of 2,000 commits on both sides, to push to. */
async function openTarget(bench: Bench, holdfast: Holdfast, name: string): Promise<Target> {
  const source = await sourceOf(bench, 'thousands')
  const theirs = await (await cGitOf(bench, 'c-git')).addRepository(source, name)
  const ours = await holdfast.addRepository(name)
  await pushAllRefs(ours, source)
  await holdfast.settle()
  return { ours, theirs, holdfast }
}

async function pushRows(bench: Bench, holdfast: Holdfast, where: string): Promise<Row[]> {
  const cGit = await cGitOf(bench, 'c-git')
  const target = await openTarget(bench, holdfast, where === '' ? 'push-near' : 'push-far')
  const source = await sourceOf(bench, 'thousands')
  const [alone, whole] = await makeSeries(bench.folder, source, ['alone', 'whole'], alonePushes + 1)
  const processes = { ours: holdfast.processes, theirs: cGit.processes }
  const main = await git(source, 'rev-parse', ref)

  const requests = await requestsOf(alone, main)
  const post = (side: 'ours' | 'theirs'): Side => ({
    processes: processes[side],
    run: async (round) => {
      await sendPush(target[side], requests[round])
    },
  })
  const extent = { rounds: alonePushes, budgetMs: 60_000 }
  const ofPosts = await measurePair(post('ours'), post('theirs'), extent)

  const push = (side: 'ours' | 'theirs'): Side => ({
    processes: processes[side],
    run: async (round) => {
      await git(whole.client, 'push', '--quiet', target[side], `${whole.commits[round]}:refs/heads/whole`)
    },
  })
  const pushes = await measurePair(push('ours'), push('theirs'), {
    rounds: wholePushes,
    budgetMs: 60_000,
  })
  const title = `${await titleOf(bench, 'thousands')}: push of one commit${where}`
  return [
    rowOf(`${title}, end to end, p50`, pushes, { aim: 2 }),
    p99RowOf(`${title}, end to end, p99`, pushes, { aim: 2 }),
    rowOf(`${title}, server alone, p50`, ofPosts, { aim: 2 }),
    p99RowOf(`${title}, server alone, p99`, ofPosts, { aim: 2 }),
  ]
}

/** One request for each commit of the series, from `base` on. */
async function requestsOf({ client, branch, commits }: Series, base: string): Promise<Exchange[]> {
  const requests: Exchange[] = []
  for (const [number, newId] of commits.entries()) {
    const oldId = number === 0 ? undefined : commits[number - 1]
    requests.push(await pushRequest(client, [{ ref: `refs/heads/${branch}`, oldId, newId }], [base]))
  }
  return requests
}

async function writersRow(bench: Bench): Promise<Row[]> {
  const cGit = await cGitOf(bench, 'c-git')
  const holdfast = await embeddedOf(bench, 'embedded')
  const target = await openTarget(bench, holdfast, 'writers')
  const source = await sourceOf(bench, 'thousands')
  const main = await git(source, 'rev-parse', ref)
  const branches = Array.from({ length: writers }, (_, number) => `writer-${number}`)
  const rounds = Math.min(bench.rounds, 3)
  const series = await makeSeries(bench.folder, source, branches, pushesPerWriter * (rounds + 1))
  const requests = await Promise.all(series.map((each) => requestsOf(each, main)))
  const side = (url: string, processes: Processes): Side => ({
    processes,
    async run(round) {
      const write = async (own: Exchange[]) => {
        const first = round * pushesPerWriter
        for (const request of own.slice(first, first + pushesPerWriter)) await sendPush(url, request)
      }
      await Promise.all(requests.map(write))
      return () => holdfast.settle()
    },
  })
  const [ours, theirs] = [side(target.ours, holdfast.processes), side(target.theirs, cGit.processes)]
  const pair = await measurePair(ours, theirs, { rounds, budgetMs: 120_000 })
  const pushes = writers * pushesPerWriter
  const perSecond = (ms: number) => (pushes / ms) * 1_000
  const row: Row = {
    ...rowOf(`${await titleOf(bench, 'thousands')}: pushes per second, 16 writers to 16 branches, server alone`, pair),
    against: cGitName,
    unit: '/s',
    ours: perSecond(pair.ours.medianMs),
    theirs: perSecond(pair.theirs.medianMs),
    aim: 5,
    cpuSeconds: { ours: pair.ours.cpuSeconds / pushes, theirs: pair.theirs.cpuSeconds / pushes },
  }
  return [row]
}
