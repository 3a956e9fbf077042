/**
 * Small bare repositories full of what walks can trip over: merges and criss-cross merges, several roots, reverts, renames,
 * files that become folders, equal trees at many places, empty trees, submodules, tags of tags, trees and blobs, clocks
 * that run wrong, lists of sparse patterns.
 */
import { git, gitSync } from './git-client.ts'

export interface RandomRepositoryOptions {
  random: () => number
  commits: number
  /** Share of commits whose clock is wrong. */
  skew: number
}

/** Lists of sparse patterns that lie in every such repository, at `patterns/<n>`. */
export const sparseLists = [
  '*\n!/dir-1/\n',
  '/dir-0/\n',
  'file-*\n!file-3*\n',
  '/dir-*/sub-1/**\n/patterns/',
  'sub-2\n',
]

/** Makes the repository at `path`. */
export async function makeRandomRepository(path: string, options: RandomRepositoryOptions): Promise<void> {
  await git('.', 'init', '-q', '--bare', '-b', 'main', path)
  gitSync(path, ['fast-import', '--quiet', '--force'], writeStream(options))
  await addAwkwardObjects(path)
  if (options.random() < 0.5) await git(path, 'repack', '-adq', '--window=5')
}

/** Paths with the fast-import command that writes each. */
type Files = Map<string, string[]>

function writeStream({ random, commits, skew }: RandomRepositoryOptions): string {
  const below = (count: number) => Math.floor(random() * count)
  const lines: string[] = []
  const branches: number[] = []
  const trees: Files[] = []
  for (let mark = 1; mark <= commits; mark++) {
    const branch = below(Math.min(branches.length + 1, 5))
    const isRoot = branches[branch] === undefined && (mark === 1 || random() < 0.3)
    const from = isRoot ? undefined : (branches[branch] ?? below(mark - 1) + 1)
    const date = 1_700_000_000 + mark * 60 + (random() < skew ? below(40_000) - 30_000 : 0)
    lines.push(`commit refs/heads/${branch === 0 ? 'main' : `topic-${branch}`}`, `mark :${mark}`)
    lines.push(`committer C <c@example.org> ${date} +0000`, `data ${String(mark).length}`, String(mark))
    if (from !== undefined) lines.push(`from :${from}`)
    const parents = new Set([from])
    for (let more = 0; mark > 3 && random() < 0.25 && more < 2; more++) {
      const other = random() < 0.5 ? (branches[below(branches.length)] ?? 1) : below(mark - 1) + 1
      if (!parents.has(other)) lines.push(`merge :${other}`)
      parents.add(other)
    }
    const isRevert = mark > 2 && random() < 0.1
    const files: Files = new Map(trees[isRevert ? below(mark - 1) + 1 : (from ?? 0)] ?? patternFiles)
    if (!isRevert) for (let change = 0; change <= below(4); change++) changeFiles(files, below, mark)
    lines.push('deleteall', ...[...files.values()].flat())
    trees[mark] = files
    branches[branch] = mark
    if (random() < 0.15) lines.push(...tag(`v${mark}`, `:${mark}`))
  }
  lines.push(...tag('inner', `:${commits}`, commits + 1), ...tag('middle', `:${commits + 1}`, commits + 2))
  lines.push(...tag('nested', `:${commits + 2}`), 'blob', `mark :${commits + 3}`, 'data 5', 'named')
  lines.push(...tag('of-a-blob', `:${commits + 3}`), 'reset refs/tags/light', `from :${below(commits) + 1}`, '')
  return lines.join('\n')
}

function changeFiles(files: Files, below: (count: number) => number, mark: number): void {
  const folder = below(6) === 0 ? '' : `dir-${below(3)}/${below(3) === 0 ? '' : `sub-${below(3)}/`}`
  const path = `${folder}file-${below(6)}`
  const kind = below(14)
  if (kind === 0) remove(files, path)
  else if (kind === 1) remove(files, `dir-${below(3)}`)
  else if (kind === 2) put(files, `${folder}module`, () => [`M 160000 ${'ab'.repeat(19)}0${below(10)} ${folder}module`])
  else if (kind === 3)
    for (const at of [`dir-${below(3)}/sub-${below(3)}/deep/`, '']) putText(files, `${at}er/same`, 'same\n')
  else if (kind === 4) rename(files, `dir-${below(3)}`, `dir-${below(4)}`)
  else if (kind === 5) putText(files, `dir-${below(3)}/sub-${below(3)}`, 'a file in place of a folder\n')
  else if (kind < 8) putText(files, path, `shared ${below(6)}\n`)
  else putText(files, path, `${`line of ${path}\n`.repeat(below(30))}${mark}\n`)
}

function remove(files: Files, path: string): void {
  for (const each of [...files.keys()]) if (each === path || each.startsWith(`${path}/`)) files.delete(each)
}

function put(files: Files, path: string, command: (path: string) => string[]): void {
  remove(files, path)
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) files.delete(path.slice(0, at))
  files.set(path, command(path))
}

function putText(files: Files, path: string, text: string): void {
  put(files, path, () => [`M 100644 inline ${path}`, `data ${text.length}`, text])
}

function rename(files: Files, from: string, to: string): void {
  const moved = [...files].filter(([path]) => path.startsWith(`${from}/`))
  remove(files, from)
  for (const [path, [first, ...rest]] of moved) {
    const target = to + path.slice(from.length)
    put(files, target, () => [first.replace(path, target), ...rest])
  }
}

const patternFiles: Files = new Map()
for (const [n, text] of sparseLists.entries()) putText(patternFiles, `patterns/${n}`, text)

function tag(name: string, from: string, mark?: number): string[] {
  const markLine = mark === undefined ? [] : [`mark :${mark}`]
  return [`tag ${name}`, ...markLine, `from ${from}`, 'tagger C <c@example.org> 1700000000 +0000', 'data 3', 'tag']
}

/** What fast-import cannot write. */
async function addAwkwardObjects(path: string): Promise<void> {
  const empty = gitSync(path, ['mktree'], '').toString().trim()
  const main = await git(path, 'rev-parse', 'main')
  const listed = gitSync(path, ['ls-tree', 'main'], '').toString()
  const tree = gitSync(path, ['mktree'], `${listed}040000 tree ${empty}\tnothing\n`).toString().trim()
  const commit = gitSync(path, ['commit-tree', tree, '-p', main, '-m', 'empty folder'], '').toString().trim()
  const root = gitSync(path, ['commit-tree', empty, '-m', 'empty root'], '').toString().trim()
  const tagText = `object ${tree}\ntype tree\ntag of-a-tree\ntagger C <c@example.org> 1700000000 +0000\n\ntree\n`
  const ofTree = gitSync(path, ['mktag'], tagText).toString().trim()
  const refs = { 'refs/heads/empty-folder': commit, 'refs/heads/empty-root': root, 'refs/tags/of-a-tree': ofTree }
  for (const [name, id] of Object.entries(refs)) await git(path, 'update-ref', name, id)
}
