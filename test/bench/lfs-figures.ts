/**
 * LFS bytes by curl on both sides: up and down through the links of a batch answer, against a plain PUT and GET at nginx
 * (embedded) or at MinIO (production). And a batch of 1,000 oids, which has no counterpart.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { embeddedOf, type Holdfast } from './holdfast.ts'
import { batch, curl, headers, type LfsObject, signedBy, upload } from './lfs-client.ts'
import { measureAlone, measurePair, type Side } from './measure.ts'
import { type Processes, processTree } from './processes.ts'
import { productionOf, type Store } from './production.ts'
import { cGitOf } from './repositories.ts'
import { type Measurement, type Row, rowOf } from './row.ts'

const sizeBytes = 2 ** 30
const batchCount = 1_000

export const lfsMeasurements: Measurement[] = [
  {
    title: 'lfs: embedded',
    run: async (bench) => {
      const cGit = await cGitOf(bench, 'c-git')
      const target = { name: 'curl to nginx (dav, static)', url: `${cGit.url}/dav/large.bin`, args: [] }
      const holdfast = await embeddedOf(bench, 'embedded')
      return rowsOfLfs(bench, { kind: 'embedded', holdfast, target: { ...target, processes: cGit.processes } })
    },
  },
  {
    title: 'lfs: production',
    run: async (bench) => {
      const holdfast = await productionOf(bench, 'near')
      return rowsOfLfs(bench, { kind: 'production', holdfast, target: minioTarget(holdfast.store) })
    },
  },
]

interface LfsBench {
  kind: 'embedded' | 'production'
  holdfast: Holdfast
  target: Target
}

/** A server that takes and gives a file by itself. */
interface Target {
  name: string
  url: string
  args: string[]
  processes: Processes
}

async function rowsOfLfs(bench: Bench, lfs: LfsBench): Promise<Row[]> {
  const { holdfast, kind, target } = lfs
  await holdfast.addRepository('large')
  const title = (what: string) => `${what}, ${kind}`
  const rows = [await batchRow(bench, lfs, title('LFS batch of 1,000 oids'))]
  const large = makeFile(join(bench.folder, 'large.bin'))

  // A second upload of the same content is not asked for: every round changes a byte, outside the time that counts.
  const up: Side = {
    processes: holdfast.processes,
    async run() {
      const [object] = await batch(holdfast, 'upload', [large.object])
      await upload(holdfast, object, large.path)
      return async () => large.change()
    },
  }
  const theirUp: Side = {
    processes: target.processes,
    run: () => curl([...target.args, '--upload-file', large.path, target.url]),
  }
  const extent = { rounds: bench.rounds, budgetMs: 60_000 }
  rows.push(rowOf(title('LFS 1 GiB up'), await measurePair(up, theirUp, extent), { against: target.name }))

  const [last] = await batch(holdfast, 'upload', [large.object])
  await upload(holdfast, last, large.path)
  await pushPointer(bench, lfs, last)
  const down: Side = {
    processes: holdfast.processes,
    async run() {
      const [object] = await batch(holdfast, 'download', [large.object])
      await curl([...headers(object.actions?.download), object.actions?.download?.href ?? ''])
    },
  }
  const theirDown: Side = { processes: target.processes, run: () => curl([...target.args, target.url]) }
  rows.push(
    rowOf(title('LFS 1 GiB down'), await measurePair(down, theirDown, extent), { against: target.name, aim: 0.5 }),
  )
  rmSync(large.path)
  return rows
}

/** The same bucket and the same credentials that the server has. */
function minioTarget(store: Store): Target {
  return {
    name: 'curl to MinIO',
    url: `${store.endpoint}/${store.bucket}/bench/large.bin`,
    args: signedBy(store),
    processes: processTree(store.pids),
  }
}

async function batchRow(bench: Bench, { holdfast }: LfsBench, name: string): Promise<Row> {
  const objects = Array.from({ length: batchCount }, () => ({ oid: randomBytes(32).toString('hex'), size: 1_000_000 }))
  const side: Side = {
    processes: holdfast.processes,
    run: async () => {
      await batch(holdfast, 'upload', objects)
    },
  }
  const rounds = bench.rounds * 3
  const { medianMs, cpuSeconds, peakMiB } = await measureAlone(side, rounds)
  const cost = { cpuSeconds: { ours: cpuSeconds }, peakMiB: { ours: peakMiB } }
  return { name, against: '–', unit: 'ms', ours: medianMs, rounds, ...cost }
}

/** Only what a pushed pointer names can be downloaded. */
async function pushPointer({ folder }: Bench, { holdfast, kind }: LfsBench, { oid, size }: LfsObject): Promise<void> {
  const work = join(folder, `pointer-${kind}`)
  await git(folder, 'clone', '--quiet', holdfast.server.repoUrl(holdfast.account, 'ada/large'), work)
  writeFileSync(
    join(work, 'large.bin'),
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`,
  )
  await git(work, 'add', 'large.bin')
  await git(work, 'commit', '--quiet', '--message', 'Point to the large file')
  await git(work, 'push', '--quiet', '--no-verify', 'origin', 'HEAD:refs/heads/main')
}

/** A file of 1 GiB that does not compress, with its oid. `change` makes it another one. */
function makeFile(path: string): { path: string; object: LfsObject; change(): void } {
  const block = randomBytes(2 ** 24)
  const write = (): LfsObject => {
    const hash = createHash('sha256')
    const file = openSync(path, 'w')
    block.writeUInt32LE(randomBytes(4).readUInt32LE(), 0)
    for (let written = 0; written < sizeBytes; written += block.length) {
      hash.update(block)
      writeSync(file, block)
    }
    closeSync(file)
    return { oid: hash.digest('hex'), size: sizeBytes }
  }
  const made = {
    path,
    object: write(),
    change() {
      made.object = write()
    },
  }
  return made
}
