/**
 * A second server with an empty disk: its first clone, from a bucket on MinIO, against a clone from a warm server and against
 * what the bucket itself gives.
 */
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import { startTestServer } from '../support/test-server.ts'
import type { Bench } from './bench-run.ts'
import { fetchesIn, record, send } from './exchange.ts'
import { curl, signedBy } from './lfs-client.ts'
import { median } from './measure.ts'
import { type Production, productionOf } from './production.ts'
import { pushAllRefs } from './push-series.ts'
import { type RepositoryName, sourceOf, titleOf } from './repositories.ts'
import type { Measurement, Row } from './row.ts'

const rounds = 3
const aim = 0.5
const MB = 1e6

export const coldMeasurements: Measurement[] = (['history', 'blobs'] as const).map((name) => ({
  title: `cold: first clone of ${name} from a second server`,
  run: (bench) => coldRows(bench, name),
}))

async function coldRows(bench: Bench, name: RepositoryName): Promise<Row[]> {
  const production = await productionOf(bench, 'near')
  const source = await sourceOf(bench, name)
  const url = await production.addRepository(name)
  await pushAllRefs(url, source)
  await production.settle()
  const target = join(bench.folder, 'cold.git')
  const recorded = fetchesIn(
    await record(url, async (proxied) => {
      await git(bench.folder, 'clone', '--quiet', '--bare', proxied, target)
      rmSync(target, { recursive: true })
    }),
  )
  const clone = async (from: string) => {
    let bytes = 0
    for (const exchange of recorded) bytes += (await send(from, exchange)).bytes
    return bytes
  }
  const taken = { cold: [] as number[], warm: [] as number[], bucket: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const bytes = await speedOf(taken.warm, () => clone(url))
    await onNewServer(production, async (origin) => {
      await speedOf(taken.cold, () => clone(url.replace(new URL(url).host, new URL(origin).host)))
    })
    await bucketSpeed(bench, production, bytes, taken.bucket)
  }
  const [cold, warm, bucket] = [median(taken.cold), median(taken.warm), median(taken.bucket)]
  const title = `${await titleOf(bench, name)}: clone from a server with a cold cache, bucket on MinIO, server alone`
  const row = { unit: 'MB/s' as const, ours: cold, rounds }
  return [
    {
      name: `${title}, against the bucket`,
      against: 'GET by curl from MinIO',
      theirs: bucket,
      ratio: cold / bucket,
      aim,
      ...row,
    },
    { name: `${title}, against a warm server`, against: 'Holdfast, warm', theirs: warm, ratio: cold / warm, ...row },
  ]
}

/** Notes megabytes per second; returns the bytes. */
async function speedOf(taken: number[], run: () => Promise<number>): Promise<number> {
  const start = performance.now()
  const bytes = await run()
  taken.push(bytes / MB / ((performance.now() - start) / 1_000))
  return bytes
}

/** Its own folder for the local cache, the same database and bucket. */
async function onNewServer({ settings }: Production, using: (url: string) => Promise<void>): Promise<void> {
  const teardowns: (() => unknown)[] = []
  const server = await startTestServer({ teardown: (run) => teardowns.push(run) }, { ...settings, JOBS: 'off' })
  try {
    await using(server.url)
  } finally {
    for (const teardown of teardowns.reverse()) await teardown()
  }
}

async function bucketSpeed(bench: Bench, { store }: Production, bytes: number, taken: number[]): Promise<void> {
  const file = join(bench.folder, 'bucket.bin')
  const url = `${store.endpoint}/${store.bucket}/bench/speed.bin`
  writeFileSync(file, '')
  truncateSync(file, bytes)
  await curl([...signedBy(store), '--upload-file', file, url])
  await speedOf(taken, async () => {
    await curl([...signedBy(store), url])
    return bytes
  })
  rmSync(file)
}
