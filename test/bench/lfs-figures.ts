/**
 * LFS bytes by curl on both sides: up and down through the links of a batch answer, against a plain PUT and GET at nginx
 * (embedded) or at MinIO (production). And a batch of 1,000 oids, which has no counterpart.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { git, run } from '../support/git.ts'
import type { Deployment } from '../support/test-server.ts'
import type { Bench, Row } from './git-figures.ts'
import { measureOnce, measurePair, median, type Side } from './measure.ts'

const sizeBytes = 2 ** 30
const batchCount = 1_000

export interface LfsBench extends Bench {
  kind: 'embedded' | 'production'
  production?: Deployment
}

interface LfsObject {
  oid: string
  size: number
}

interface Action {
  href: string
  header?: Record<string, string>
}

export async function rowsOfLfs(bench: LfsBench): Promise<Row[]> {
  const { server, kind, rounds } = bench
  await server.holdfast('repo', 'create', 'model', 'ada/large')
  const title = (what: string) => `${what}, ${kind}`
  const rows = [await batchRow(bench, title('LFS batch of 1,000 oids'))]
  const large = makeFile(join(bench.folder, 'large.bin'))
  const target = kind === 'embedded' ? nginxTarget(bench) : minioTarget(bench)
  const ourPids = () => [server.pid(), ...(kind === 'production' ? target.pids() : [])]

  // A second upload of the same content is not asked for: every round changes a byte, outside the time that counts.
  const up: Side = {
    pids: ourPids,
    async run() {
      const [object] = await batch(bench, 'upload', [large.object])
      await upload(bench, object, large.path)
      return async () => large.change()
    },
  }
  const theirUp: Side = {
    pids: target.pids,
    run: () => curl([...target.args, '--upload-file', large.path, target.url]),
  }
  rows.push({ name: title('LFS 1 GiB up'), against: target.name, ...(await measurePair(up, theirUp, rounds)) })

  const [last] = await batch(bench, 'upload', [large.object])
  await upload(bench, last, large.path)
  await pushPointer(bench, last)
  const down: Side = {
    pids: ourPids,
    async run() {
      const [object] = await batch(bench, 'download', [large.object])
      await curl([...headers(object.actions?.download), object.actions?.download?.href ?? ''])
    },
  }
  const theirDown: Side = { pids: target.pids, run: () => curl([...target.args, target.url]) }
  rows.push({ name: title('LFS 1 GiB down'), against: target.name, ...(await measurePair(down, theirDown, rounds)) })
  rmSync(large.path)
  return rows
}

interface Target {
  name: string
  url: string
  args: string[]
  pids(): number[]
}

function nginxTarget({ cGit }: LfsBench): Target {
  return { name: 'curl to nginx (dav, static)', url: `${cGit.url}/dav/large.bin`, args: [], pids: cGit.pids }
}

/** The same bucket and the same credentials that the server has. */
function minioTarget({ production }: LfsBench): Target {
  const store = production?.store
  if (store === undefined) throw new Error('No object store to measure against.')
  return {
    name: 'curl to MinIO',
    url: `${store.s3.endpoint}/${store.s3.bucket}/bench/large.bin`,
    // curl signs; the payload is not hashed first, as the clients of a presigned link do not.
    args: [
      '--aws-sigv4',
      `aws:amz:${store.s3.region}:s3`,
      '--user',
      `${store.s3.accessKey}:${store.s3.secretKey}`,
      '--header',
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
    ],
    pids: store.pids,
  }
}

async function batchRow(bench: LfsBench, name: string): Promise<Row> {
  const objects = Array.from({ length: batchCount }, () => ({ oid: randomBytes(32).toString('hex'), size: 1_000_000 }))
  const side: Side = {
    pids: () => [bench.server.pid()],
    run: async () => {
      await batch(bench, 'upload', objects)
    },
  }
  const samples = []
  for (let round = 0; round <= bench.rounds * 3; round++) samples.push(await measureOnce(side, round))
  const counted = samples.slice(1)
  const ours = {
    medianMs: median(counted.map(({ ms }) => ms)),
    peakMiB: Math.max(...counted.map(({ peakMiB }) => peakMiB)),
  }
  return { name, against: '–', ours, rounds: counted.length }
}

interface BatchObject extends LfsObject {
  actions?: { upload?: Action; download?: Action; verify?: Action }
}

async function batch(bench: LfsBench, operation: string, objects: LfsObject[]): Promise<BatchObject[]> {
  const answer = await post(bench, `${bench.server.url}/ada/large.git/info/lfs/objects/batch`, {
    operation,
    transfers: ['basic'],
    hash_algo: 'sha256',
    objects,
  })
  return ((await answer.json()) as { objects: BatchObject[] }).objects
}

async function upload(bench: LfsBench, object: BatchObject, path: string): Promise<void> {
  const { upload, verify } = object.actions ?? {}
  if (upload !== undefined) await curl([...headers(upload), '--upload-file', path, upload.href])
  if (verify !== undefined) await (await post(bench, verify.href, { oid: object.oid, size: object.size })).text()
}

/** Only what a pushed pointer names can be downloaded. */
async function pushPointer({ folder, server, account, kind }: LfsBench, { oid, size }: LfsObject): Promise<void> {
  const work = join(folder, `pointer-${kind}`)
  await git(folder, 'clone', '--quiet', server.repoUrl(account, 'ada/large'), work)
  writeFileSync(
    join(work, 'large.bin'),
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`,
  )
  await git(work, 'add', 'large.bin')
  await git(work, 'commit', '--quiet', '--message', 'Point to the large file')
  await git(work, 'push', '--quiet', '--no-verify', 'origin', 'HEAD:refs/heads/main')
}

async function post({ account }: LfsBench, url: string, body: unknown): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${account.name}:${account.token}`).toString('base64')}`,
      'content-type': 'application/vnd.git-lfs+json',
      accept: 'application/vnd.git-lfs+json',
    },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

function headers(action: Action | undefined): string[] {
  return Object.entries(action?.header ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
}

async function curl(args: string[]): Promise<void> {
  const ran = await run('curl', ['--silent', '--show-error', '--fail', '--output', '/dev/null', ...args])
  if (ran.status !== 0) throw new Error(`curl: ${ran.stderr}`)
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
