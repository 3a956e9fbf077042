/** The repositories that are measured, made once a run, and brought to both sides when a measurement first needs them. */
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import { makeHistory } from '../support/histories.ts'
import { type Bench, shared } from './bench-run.ts'
import { type CGit, startCGit } from './c-git.ts'
import { embeddedOf } from './holdfast.ts'
import {
  addRefs,
  fewCommits,
  fiftyThousandFiles,
  gibibyteOfBlobs,
  importHistory,
  longHistory,
  refCount,
} from './made-history.ts'
import type { Processes } from './processes.ts'
import { pushAllRefs } from './push-series.ts'

export type RepositoryName = 'small' | 'thousands' | 'files' | 'history' | 'blobs' | 'refs'

/** A bare repository of the user's own, in place of the generated history. */
const realHistory = process.env.BENCH_REPOSITORY

/** What the table calls it. */
export const titleOf = shared(async (bench, name: RepositoryName): Promise<string> => {
  if (name !== 'history') return titles[name]
  const commits = Number(await git(await sourceOf(bench, name), 'rev-list', '--count', '--all')).toLocaleString('en')
  return `${realHistory === undefined ? 'generated' : 'real'} history of ${commits} commits`
})

const titles = {
  small: '3 commits',
  thousands: '2,000 commits × 1,000 files',
  files: '50,000 files',
  blobs: '1 GiB of blobs',
  refs: '100,000 refs',
}

export const cGitOf = shared(async (bench, name: 'c-git'): Promise<CGit> => {
  const cGit = await startCGit(join(bench.folder, name))
  bench.teardown(() => cGit.stop())
  return cGit
})

/** The path of the bare repository: one pack, with bitmaps and a commit-graph. */
export const sourceOf = shared(async (bench, name: RepositoryName): Promise<string> => {
  const path = join(bench.folder, `source-${name}.git`)
  if (name === 'small' || name === 'thousands') await makeHistory(path, name)
  else if (name === 'files') await importHistory(path, fiftyThousandFiles())
  else if (name === 'blobs') await importHistory(path, gibibyteOfBlobs(), 0)
  else if (name === 'refs') await addRefs(await importHistory(path, fewCommits()), refCount)
  else if (realHistory !== undefined) await git('.', 'clone', '--quiet', '--mirror', realHistory, path)
  else await copyLongHistory(path)
  await prepare(path)
  return path
})

/** A quarter of an hour's work is worth keeping; install.sh keeps its things in the same folder. */
async function copyLongHistory(path: string): Promise<void> {
  const cache = process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache/holdfast')
  const kept = join(cache, 'bench-history.git')
  if (!existsSync(kept)) {
    const making = `${kept}.${process.pid}`
    await prepare(await importHistory(making, longHistory()))
    renameSync(making, kept)
  }
  cpSync(kept, path, { recursive: true })
}

/** As well as C git can be prepared. */
async function prepare(path: string): Promise<void> {
  const packs = readdirSync(join(path, 'objects/pack'))
  const isPrepared = packs.filter((name) => name.endsWith('.pack')).length === 1 && packs.some(isBitmap)
  if (!isPrepared) await git(path, 'repack', '-adq', '--write-bitmap-index')
  // Left behind by a partial clone, it would make git look elsewhere for what is all here.
  for (const name of packs) if (name.endsWith('.promisor')) rmSync(join(path, 'objects/pack', name), { force: true })
  await git(path, 'commit-graph', 'write', '--reachable')
}

function isBitmap(name: string): boolean {
  return name.endsWith('.bitmap')
}

export interface Addresses {
  ours: string
  theirs: string
}

/** The same repository at both servers, at rest: no background job is left to do. */
export const onBothSides = shared(async (bench, name: RepositoryName): Promise<Addresses> => {
  const [source, cGit, holdfast] = [
    await sourceOf(bench, name),
    await cGitOf(bench, 'c-git'),
    await embeddedOf(bench, 'embedded'),
  ]
  const theirs = await cGit.addRepository(source, name)
  const ours = await holdfast.addRepository(name)
  await pushAllRefs(ours, source)
  await holdfast.setHead(name, await git(source, 'symbolic-ref', 'HEAD'))
  await holdfast.settle()
  return { ours, theirs }
})

export async function processesOf(bench: Bench): Promise<{ ours: Processes; theirs: Processes }> {
  const [cGit, holdfast] = [await cGitOf(bench, 'c-git'), await embeddedOf(bench, 'embedded')]
  return { ours: holdfast.processes, theirs: cGit.processes }
}
