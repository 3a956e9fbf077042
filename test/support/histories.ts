/**
 * Git histories made by `git fast-import` (its manual page describes the stream): the same bytes, and so the same commit
 * ids, on every machine.
 */
import { git, run } from './git.ts'

export type HistoryName = keyof typeof histories

const histories = { small, thousands, merges, renames, tags }

/** Makes a bare repository at `folder` with the named history, packed as git packs it. */
export async function makeHistory(folder: string, name: HistoryName): Promise<string> {
  await git('.', 'init', '-q', '--bare', folder)
  const ran = await run('git', ['fast-import', '--quiet', '--done'], {
    cwd: folder,
    stdin: batched(histories[name]({ second: 1_700_000_000 })),
  })
  if (ran.status !== 0) throw new Error(`git fast-import: ${ran.stderr}`)
  await git(folder, 'repack', '-adq')
  return folder
}

/** Three commits, a README and a little configuration: what a new model repository looks like. */
function* small(clock: Clock): Generator<string> {
  yield commit(clock, 'refs/heads/main', 'Begin', { 'README.md': '# A model\n', 'config.json': '{"layers": 2}\n' })
  yield commit(clock, 'refs/heads/main', 'Say more', { 'README.md': '# A model\n\nIt is small.\n' })
  yield commit(clock, 'refs/heads/main', 'Grow', { 'config.json': '{"layers": 4}\n', 'data/vocab.txt': words(1, 500) })
  yield 'done\n'
}

/** 2,000 commits over 1,000 files in 50 folders; every commit changes one line in each of three files. */
function* thousands(clock: Clock): Generator<string> {
  const fileCount = 1_000
  const versions = new Array<number>(fileCount).fill(0)
  const path = (file: number) => `part-${file % 50}/file-${file}.txt`
  const content = (file: number) => `${words(file, 40)}version ${versions[file]}\n${words(file + fileCount, 40)}`
  const all = Object.fromEntries(versions.map((_, file) => [path(file), content(file)]))
  yield commit(clock, 'refs/heads/main', 'Begin with 1,000 files', all)
  for (let number = 1; number < 2_000; number++) {
    const changed = [number, number * 7, number * 31].map((file) => file % fileCount)
    for (const file of changed) versions[file] = number
    yield commit(
      clock,
      'refs/heads/main',
      `Change ${number}`,
      Object.fromEntries(changed.map((f) => [path(f), content(f)])),
    )
  }
  yield 'done\n'
}

/** 300 rounds of two branches that part and meet, an octopus at every tenth, and two roots that meet at the end. */
function* merges(clock: Clock): Generator<string> {
  yield commit(clock, 'refs/heads/main', 'Root', { 'root.txt': 'root\n' }, { mark: 1 })
  yield commit(clock, 'refs/heads/other', 'Other root', { 'other.txt': 'other\n' }, { mark: 2, from: 'none' })
  let tip = 1
  let mark = 2
  for (let round = 1; round <= 300; round++) {
    const sides = Array.from({ length: round % 10 === 0 ? 4 : 2 }, (_, side) => ({ mark: ++mark, side }))
    for (const { mark, side } of sides) {
      const files = { [`side-${side}/${round}.txt`]: words(round * 10 + side, 20) }
      yield commit(clock, 'refs/heads/work', `Side ${side} of ${round}`, files, { mark, from: `:${tip}` })
    }
    const [first, ...rest] = sides
    const merge = rest.map((side) => `:${side.mark}`)
    // fast-import takes the first parent's tree: a merge says itself what the others bring.
    const brought = Object.fromEntries(
      rest.map(({ side }) => [`side-${side}/${round}.txt`, words(round * 10 + side, 20)]),
    )
    tip = ++mark
    yield commit(clock, 'refs/heads/main', `Meet ${round}`, brought, { mark: tip, from: `:${first.mark}`, merge })
  }
  yield commit(
    clock,
    'refs/heads/main',
    'Two roots meet',
    { 'other.txt': 'other\n' },
    { from: `:${tip}`, merge: [':2'] },
  )
  yield 'done\n'
}

/** Files and whole folders that move about, with modes, links and names that are hard to write. */
function* renames(clock: Clock): Generator<string> {
  const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`src/deep/er/file-${n}.txt`, words(n, 30)]))
  yield commit(clock, 'refs/heads/main', 'Begin', { ...files, 'naïve name – ü.txt': 'bytes\n', 'a b\tc.txt': 'tab\n' })
  for (let number = 1; number <= 60; number++) {
    const [from, to] = number % 2 === 1 ? ['src', `moved-${number}`] : [`moved-${number - 1}`, 'src']
    yield commit(clock, 'refs/heads/main', `Move ${number}`, {}, { changes: [`R ${from} ${to}`] })
  }
  yield commit(
    clock,
    'refs/heads/main',
    'Modes',
    {},
    {
      changes: [`M 100755 inline run.sh\n${data('#!/bin/sh\n')}`, `M 120000 inline link\n${data('run.sh')}`],
    },
  )
  yield commit(clock, 'refs/heads/main', 'A folder becomes a file', { src: 'now a file\n' })
  yield 'done\n'
}

/** Branches, notes and tags of every kind: light, annotated, of a tag, of a blob. */
function* tags(clock: Clock): Generator<string> {
  for (let number = 1; number <= 50; number++) {
    yield commit(clock, 'refs/heads/main', `Release ${number}`, { VERSION: `${number}\n` }, { mark: number })
    yield tag(clock, `v${number}`, `:${number}`, number + 100)
    yield `reset refs/tags/light-${number}\nfrom :${number}\n\n`
    yield `reset refs/heads/release/${number}\nfrom :${number}\n\n`
  }
  yield tag(clock, 'tag-of-a-tag', ':150', 200)
  yield `blob\nmark :300\n${data('A blob with a name.\n')}\n`
  yield tag(clock, 'of-a-blob', ':300', 301)
  yield `reset refs/notes/commits\nfrom :1\n\n`
  yield 'done\n'
}

interface CommitOptions {
  mark?: number
  /** A parent other than the branch's tip; 'none' for a root. */
  from?: string
  merge?: string[]
  changes?: string[]
}

/** Seconds since 1970, one more for every commit and tag; begins anew with each history. */
type Clock = { second: number }

function commit(
  clock: Clock,
  ref: string,
  message: string,
  files: Record<string, string>,
  options: CommitOptions = {},
): string {
  const lines = [`commit ${ref}`]
  if (options.mark !== undefined) lines.push(`mark :${options.mark}`)
  lines.push(`committer Ada <ada@example.org> ${clock.second++} +0100`, data(message))
  if (options.from !== undefined && options.from !== 'none') lines.push(`from ${options.from}`)
  for (const parent of options.merge ?? []) lines.push(`merge ${parent}`)
  for (const change of options.changes ?? []) lines.push(change)
  for (const [path, content] of Object.entries(files)) {
    lines.push(`M 100644 inline ${JSON.stringify(path)}`, data(content))
  }
  return `${lines.join('\n')}\n\n`
}

function tag(clock: Clock, name: string, of: string, mark: number): string {
  return `tag ${name}\nmark :${mark}\nfrom ${of}\ntagger Ada <ada@example.org> ${clock.second++} +0100\n${data(`Tag ${name}`)}\n`
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`
}

/** Text that compresses like text and differs by `seed`. */
function words(seed: number, count: number): string {
  const lines: string[] = []
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let number = 0; number < count; number++) {
    // A linear congruential generator: the numbers of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    lines.push(`token-${state % 5_000} weight ${(state >>> 8) % 1_000}`)
  }
  return `${lines.join('\n')}\n`
}

/** Few large writes instead of many small ones. */
async function* batched(parts: Iterable<string>): AsyncGenerator<string> {
  let batch = ''
  for (const part of parts) {
    batch += part
    if (batch.length > 1 << 20) {
      yield batch
      batch = ''
    }
  }
  yield batch
}
