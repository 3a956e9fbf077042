/** Repositories made by `git fast-import` for the benchmark alone: too large for the tests' test/support/histories.ts. */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git, run } from '../support/git.ts'

export const refCount = 100_000
/** Which a hundred of them have. */
export const refPrefix = 'refs/heads/team-042/'
const teamCount = 1_000

const author = 'committer Ada <ada@example.org>'
const firstSecond = 1_600_000_000

/** 50,000 files in 250 folders; ten commits, each of which changes 1,000 of them. */
export function* fiftyThousandFiles(): Generator<string> {
  const path = (file: number) => `part-${file % 250}/file-${file}.json`
  const content = (file: number, version: number) => `{"file": ${file}, "version": ${version}, ${pairs(file, 12)}}\n`
  for (let version = 0; version < 10; version++) {
    yield commit(version, `Version ${version}`)
    const changed = version === 0 ? range(0, 50_000) : range(version * 5_000, 1_000)
    for (const file of changed) yield inline(path(file), content(file, version))
  }
}

/**
 * As large as the history of git itself: 82,000 commits and some 400,000 objects. Each commit changes a line of one file
 * in a folder of a folder.
 */
export function* longHistory(): Generator<string> {
  const fileCount = 4_000
  const path = (file: number) => `area-${file % 16}/part-${(file >> 4) % 16}/file-${file}.c`
  for (let number = 0; number < 82_000; number++) {
    yield commit(number, `Change ${number}\n\n${pairs(number, 8)}`)
    // Files that are busy and files that hardly change, as in any project.
    const file = number < fileCount ? number : Math.floor((number * 7_919) % fileCount ** ((number % 5) / 8 + 0.5))
    yield inline(path(file), `${pairs(file, 40)}\nlast changed by ${number}\n${pairs(file + 1, 40)}\n`)
  }
}

/** Files of 8 MiB that do not compress, 1 GiB of them. */
export function* gibibyteOfBlobs(count = 128): Generator<string | Buffer> {
  yield commit(0, 'Weights')
  for (let number = 0; number < count; number++) {
    const bytes = randomBytes(8 * 2 ** 20)
    yield `M 100644 inline weights-${number}.bin\ndata ${bytes.length}\n`
    yield bytes
    yield '\n'
  }
}

/** A thousand small files in one folder. */
export function* thousandFiles(): Generator<string> {
  yield commit(0, 'A thousand files')
  for (let file = 0; file < 1_000; file++) yield inline(`file-${file}.json`, `{"file": ${file}}\n`)
}

/** 1,000,000 files in a thousand folders; few blobs, since it is the trees that count. */
export function* manyEntries(): Generator<string> {
  yield commit(0, 'A million files')
  for (let file = 0; file < 1_000_000; file++) {
    yield inline(`part-${Math.floor(file / 1_000)}/file-${file}.json`, `${file % 1_000}\n`)
  }
}

/** A few commits for 100,000 refs to name. */
export function* fewCommits(): Generator<string> {
  for (let number = 0; number < 10; number++) {
    yield commit(number, `Commit ${number}`)
    yield inline('README.md', `Version ${number}\n`)
  }
}

/** Names the commits of main by branches, `count` refs in all, spread evenly over a thousand teams. */
export async function addRefs(path: string, count: number): Promise<void> {
  const ids = (await git(path, 'rev-list', 'refs/heads/main')).split('\n')
  const refs = [`${ids[0]} refs/heads/main`]
  for (let number = 1; number < count; number++) {
    const team = String(number % teamCount).padStart(3, '0')
    refs.push(`${ids[number % ids.length]} refs/heads/team-${team}/branch-${number}`)
  }
  // As git writes it: `git update-ref` would make a file for each, and takes minutes.
  const sorted = refs.sort((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1)).join('\n')
  writeFileSync(join(path, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${sorted}\n`)
  rmSync(join(path, 'refs/heads/main'), { force: true })
}

/**
 * Imports a stream into a new bare repository. What does not compress is quicker stored as it is, at level 0: zlib finds out
 * in the end, and does the same.
 */
export async function importHistory(path: string, stream: Iterable<string | Buffer>, level = 1): Promise<string> {
  await git('.', 'init', '--quiet', '--bare', path)
  // And large files are not worth looking for deltas between.
  const large = level === 0 ? ['-c', 'core.bigFileThreshold=1m'] : []
  const settings = ['-c', `core.compression=${level}`, '-c', 'fastimport.unpackLimit=0', ...large]
  const imported = await run('git', [...settings, 'fast-import', '--quiet'], { cwd: path, stdin: batched(stream) })
  if (imported.status !== 0) throw new Error(`git fast-import: ${imported.stderr}`)
  await git(path, 'pack-refs', '--all')
  return path
}

function commit(number: number, message: string): string {
  const data = `data ${Buffer.byteLength(message)}\n${message}`
  return `commit refs/heads/main\n${author} ${firstSecond + number * 60} +0000\n${data}\n`
}

function inline(path: string, content: string): string {
  return `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

/** Text that compresses as text does, and differs by `seed`. */
function pairs(seed: number, count: number): string {
  const found: string[] = []
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let number = 0; number < count; number++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    found.push(`"token-${state % 5_000}": ${(state >>> 8) % 1_000}`)
  }
  return found.join(', ')
}

/** Few large writes instead of many small ones. */
async function* batched(parts: Iterable<string | Buffer>): AsyncGenerator<string | Buffer> {
  let batch = ''
  for (const part of parts) {
    if (typeof part === 'string') batch += part
    if (typeof part !== 'string' || batch.length > 2 ** 20) {
      yield batch
      batch = ''
      if (typeof part !== 'string') yield part
    }
  }
  yield batch
}
