/** Fetches by clients that are 1, some 80 and some 800 commits behind, on the long history. */
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import { type Bench, shared } from './bench-run.ts'
import { measureReplay } from './clone-figures.ts'
import { fetchesIn, record } from './exchange.ts'
import { measureFloor } from './floor.ts'
import { measurePair, type Side } from './measure.ts'
import { onBothSides, processesOf, sourceOf, titleOf } from './repositories.ts'
import { type Measurement, type Row, rowOf } from './row.ts'

const distances = { '1': 5, '80': 1, '800': 0.7 }
type Distance = keyof typeof distances

export const fetchMeasurements: Measurement[] = (Object.keys(distances) as Distance[]).map((distance) => ({
  title: `fetch: ${distance} behind`,
  run: (bench) => fetchRows(bench, distance),
}))

async function fetchRows(bench: Bench, distance: Distance): Promise<Row[]> {
  const urls = await onBothSides(bench, 'history')
  const processes = await processesOf(bench)
  const { template, behind, objects } = await clientOf(bench, distance)
  const fetch = async (url: string) => {
    const client = join(bench.folder, 'client.git')
    cpSync(template, client, { recursive: true })
    await git(client, 'fetch', '--quiet', url, '+refs/heads/*:refs/heads/*')
    return async () => rmSync(client, { recursive: true })
  }
  const recorded = {
    ours: await record(urls.ours, async (url) => (await fetch(url))()),
    theirs: await record(urls.theirs, async (url) => (await fetch(url))()),
  }
  const alone = await measureReplay(bench, urls, { ours: fetchesIn(recorded.ours), theirs: fetchesIn(recorded.theirs) })
  const side = (of: 'ours' | 'theirs'): Side => ({ processes: processes[of], run: () => fetch(urls[of]) })
  const whole = await measurePair(side('ours'), side('theirs'), { rounds: bench.rounds * 2, budgetMs: 25_000 })
  const floorMs = await measureFloor(urls.ours, fetch, whole.rounds)
  const title = `${await titleOf(bench, 'history')}: fetch, ${behind} commits (${objects} objects) behind`
  const aim = distances[distance]
  return [
    rowOf(`${title}, end to end`, whole, { aim, best: whole.theirs.medianMs / floorMs }),
    rowOf(`${title}, server alone`, alone.pair, { aim, bytesSent: alone.bytesSent }),
  ]
}

interface Client {
  /** A repository of a few files that borrows its objects: quick to copy for each round. */
  template: string
  behind: number
  objects: number
}

const clientOf = shared(async (bench, distance: Distance): Promise<Client> => {
  const source = await sourceOf(bench, 'history')
  const branch = await git(source, 'symbolic-ref', 'HEAD')
  const tip = await findAncestor(source, branch, Number(distance))
  const held = join(bench.folder, `behind-${distance}-objects.git`)
  await git('.', 'init', '--quiet', '--bare', held)
  const uploadPack = '--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack'
  // With the tags that it had seen by then: without them every fetch would bring a thousand.
  const tags = (await git(source, 'for-each-ref', '--merged', tip, '--format=%(refname)', 'refs/tags')).split('\n')
  const refspecs = [`${tip}:${branch}`, ...tags.filter((tag) => tag !== '').map((tag) => `${tag}:${tag}`)]
  await git(held, 'fetch', '--quiet', '--no-tags', uploadPack, `file://${source}`, ...refspecs)
  const template = join(bench.folder, `behind-${distance}.git`)
  await git('.', 'init', '--quiet', '--bare', template)
  mkdirSync(join(template, 'objects/info'), { recursive: true })
  writeFileSync(join(template, 'objects/info/alternates'), `${join(held, 'objects')}\n`)
  const refs = await git(held, 'for-each-ref', '--format=%(objectname) %(refname)')
  appendFileSync(join(template, 'packed-refs'), `${refs}\n`)
  const missing = (...args: string[]) => git(source, 'rev-list', ...args, branch, `^${tip}`)
  const objects = (await missing('--objects', '--no-object-names')).split('\n').length
  return { template, behind: Number(await missing('--count')), objects }
})

/** Of the first parents the one that is nearest to being `distance` commits behind. */
async function findAncestor(source: string, branch: string, distance: number): Promise<string> {
  const line = (await git(source, 'rev-list', '--first-parent', `--max-count=${distance + 1}`, branch)).split('\n')
  const behind = async (step: number) => Number(await git(source, 'rev-list', '--count', branch, `^${line[step]}`))
  let low = 1
  let high = line.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((await behind(middle)) < distance) low = middle + 1
    else high = middle
  }
  return line[low]
}
