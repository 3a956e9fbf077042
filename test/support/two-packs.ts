/** A history received as a repository receives it: in one pack, then in a thin one on top. */
import { execFileSync } from 'node:child_process'
import { completeReceived } from '../../src/git/pack/complete-side-car.ts'
import { PackFile } from '../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import { git } from './git-client.ts'
import { openReceived } from './objects.ts'
import { memorySpool } from './raw-pack.ts'

export const held = { objectHeldMaxBytes: 2 ** 24 }
const limits = {
  gitPackMaxBytes: 2 ** 30,
  gitPackMaxObjects: 100_000,
  gitObjectHeldMaxBytes: 2 ** 24,
  gitDeltaDepthMax: 50,
}

export type ReceivedPart = Awaited<ReturnType<typeof receiveBytes>>

/** The pack as it is opened with what was noted while it was received, and `plain` without. */
export async function receiveBytes(bytes: Buffer, existing: readonly PackFile[]) {
  const spool = memorySpool()
  const input = (async function* () {
    yield bytes
  })()
  const received = await receivePackFile(input, { spool, existing: new PackSet(existing, held), limits })
  const plain = new PackFile(new PackIndex(received.index), spool.file, received.isThin)
  return { bytes, spool, received, pack: openReceived(received, spool.file), plain }
}

/** What `git pack-objects --revs` writes for these lines of revisions. */
export function packOf(path: string, revisions: readonly string[], ...args: string[]): Buffer {
  return execFileSync('git', ['-C', path, 'pack-objects', '--revs', '--stdout', '-q', ...args], {
    input: revisions.map((line) => `${line}\n`).join(''),
    maxBuffer: 2 ** 28,
  })
}

/** The older half of main as one pack, and everything else as a thin one. Repacks the repository. */
export async function receiveInTwo(path: string): Promise<[ReceivedPart, ReceivedPart]> {
  await git(path, 'repack', '-adfq')
  const middle = await middleOf(path)
  const first = await receiveBytes(packOf(path, [middle]), [])
  const second = await receiveBytes(packOf(path, ['--not', middle], '--thin', '--all'), [first.pack])
  return [first, second]
}

/** The commit in the middle of main's history. */
export async function middleOf(path: string): Promise<string> {
  const history = (await git(path, 'rev-list', 'main')).split('\n')
  return history[history.length >> 1]
}

/** The same with complete side-cars. */
export async function receiveComplete(path: string): Promise<{ noted: PackSet; plain: PackSet }> {
  const [first, second] = await receiveInTwo(path)
  const complete = async ({ received, spool }: ReceivedPart, existing: readonly PackFile[]) => {
    const options = { bytes: spool.file, surroundings: new PackSet(existing, held), isBounded: true }
    return openReceived(await completeReceived(received, options), spool.file)
  }
  const lower = await complete(first, [])
  const upper = await complete(second, [lower])
  return { noted: new PackSet([lower, upper], held), plain: new PackSet([first.plain, second.plain], held) }
}
