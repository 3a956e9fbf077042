/**
 * Walking, selecting and writing alone, against git's own in the same run: processor time for one large repository.
 *
 *     node test/bench/selection.ts <repository> [rounds]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, createReadStream, fstatSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { completeReceived } from '../../src/git/pack/complete-side-car.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import { writePack } from '../../src/git/pack/writer.ts'
import type { Ordinal } from '../../src/git/repository.ts'
import { CommitGraph } from '../../src/git/walk/commit-graph.ts'
import { selectObjects } from '../../src/git/walk/select-objects.ts'
import { openReceived } from '../support/objects.ts'

const held = { objectHeldMaxBytes: 2 ** 28 }
const limits = {
  gitPackMaxBytes: 2 ** 40,
  gitPackMaxObjects: 2 ** 26 - 1,
  gitObjectHeldMaxBytes: 2 ** 28,
  gitDeltaDepthMax: 4_095,
}

const [source, rounds = '5'] = process.argv.slice(2)
if (source === undefined) throw new Error('Name a repository.')
const folder = mkdtempSync(join(tmpdir(), 'holdfast-selection-'))
try {
  await compare(join(folder, 'copy.git'))
} finally {
  rmSync(folder, { recursive: true })
}

async function compare(path: string): Promise<void> {
  execFileSync('git', ['clone', '--quiet', '--bare', '--no-local', `file://${source}`, path])
  execFileSync('git', ['-C', path, 'repack', '-adbq'])
  execFileSync('git', ['-C', path, 'commit-graph', 'write', '--reachable'])
  const { objects, close } = await open(path)
  const tip = parse(path, 'HEAD')
  for (const steps of [1, 20, 200, undefined]) {
    const have = steps === undefined ? undefined : parse(path, `HEAD~${steps}`)
    const haves = have === undefined ? [] : [locate(objects, have)]
    const ours: Figures[] = []
    const theirs: Figures[] = []
    for (let round = 0; round <= Number(rounds); round++) {
      ours.push(await fetchHere(objects, locate(objects, tip), haves))
      theirs.push(fetchByGit(path, tip, have))
    }
    // The first round warms up.
    report(steps === undefined ? 'everything' : `${steps} steps behind`, ours.slice(1), theirs.slice(1))
  }
  close()
}

interface Figures {
  cpuMs: number
  bytes: number
}

async function fetchHere(objects: PackSet, want: Ordinal, haves: Ordinal[]): Promise<Figures> {
  const before = process.cpuUsage()
  const graph = new CommitGraph(objects)
  const { ordinals, isClientKnown } = await selectObjects(objects, { wants: [want], haves, graph })
  let bytes = 0
  for await (const chunk of writePack(objects, ordinals, { ofsDelta: true, isClientKnown })) bytes += chunk.length
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, bytes }
}

/** With its own start, which it cannot do without; and with a pipe, which costs both sides of it. */
function fetchByGit(path: string, want: string, have: string | undefined): Figures {
  const pack = 'git pack-objects --revs --thin --stdout --delta-base-offset -q --use-bitmap-index | wc -c'
  const { stdout, stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; time (${pack})`], {
    cwd: path,
    input: have === undefined ? `${want}\n` : `${want}\n^${have}\n`,
    encoding: 'utf8',
  })
  const seconds = stderr.trim().split(' ').map(Number)
  return { cpuMs: (seconds[0] + seconds[1]) * 1000, bytes: Number(stdout) }
}

function report(what: string, ours: readonly Figures[], theirs: readonly Figures[]): void {
  const median = (figures: readonly Figures[]) =>
    figures.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b)[figures.length >> 1]
  const bytes = ours[0].bytes / theirs[0].bytes
  console.log(
    `${what}: ${median(ours).toFixed(1)} ms, git ${median(theirs).toFixed(1)} ms; ` +
      `${ours[0].bytes} bytes, ${bytes.toFixed(2)} of git's`,
  )
}

async function open(path: string) {
  const packs = join(path, 'objects/pack')
  const name = join(packs, readdirSync(packs).find((each) => each.endsWith('.pack')) ?? '')
  const descriptor = openSync(name, 'r')
  const file = {
    sizeBytes: fstatSync(descriptor).size,
    readSync: (into: Uint8Array, offset: number, length: number, position: number) =>
      readSync(descriptor, into, offset, length, position),
  }
  const existing = new PackSet([], held)
  const spool = { write: async () => {}, file }
  const incomplete = await receivePackFile(createReadStream(name, { highWaterMark: 2 ** 20 }), {
    spool,
    existing,
    limits,
  })
  const received = await completeReceived(incomplete, { bytes: file, surroundings: existing, isBounded: false })
  const objects = new PackSet([openReceived(received, file)], held)
  return { objects, close: () => closeSync(descriptor) }
}

function parse(path: string, revision: string): string {
  return execFileSync('git', ['-C', path, 'rev-parse', revision], { encoding: 'utf8' }).trim()
}

function locate(objects: PackSet, id: string): Ordinal {
  return objects.locate(Buffer.from(id, 'hex'))
}
