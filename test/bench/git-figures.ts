/** Clones and pushes, by the same real git against both servers. */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from '../support/git.ts'
import { type HistoryName, makeHistory } from '../support/histories.ts'
import type { TestAccount, TestServer } from '../support/test-server.ts'
import type { CGit } from './c-git.ts'
import { measurePair, type Pair, type Sample, type Side } from './measure.ts'

export interface Bench {
  folder: string
  rounds: number
  cGit: CGit
  server: TestServer
  account: TestAccount
}

export interface Row {
  name: string
  against: string
  ours: Sample
  theirs?: Sample
  ratio?: number
  rounds: number
}

const backend = 'git http-backend behind nginx'

export async function rowsOfGit(bench: Bench): Promise<Row[]> {
  const { folder, cGit, server, account } = bench
  const rows: Row[] = []
  for (const name of ['small', 'thousands'] as const) {
    const original = await makeHistory(join(folder, `${name}.git`), name)
    await cGit.addRepository(original, name)
    await server.holdfast('repo', 'create', 'model', `ada/${name}`)
    await git(original, 'push', '--quiet', '--mirror', server.repoUrl(account, `ada/${name}`))
  }
  const titles: [HistoryName, string, number][] = [
    ['small', 'clone, 3 commits', bench.rounds * 3],
    ['thousands', 'clone, 2,000 commits × 1,000 files', bench.rounds],
  ]
  for (const [name, title, rounds] of titles) {
    const ours = cloneSide(folder, server.repoUrl(account, `ada/${name}`), () => [server.pid()])
    const theirs = cloneSide(folder, `${cGit.url}/git/${name}`, cGit.pids)
    rows.push(toRow(title, await measurePair(ours, theirs, rounds)))
  }
  const ours = await pushSide(folder, 'ours', server.repoUrl(account, 'ada/thousands'), () => [server.pid()])
  const theirs = await pushSide(folder, 'theirs', `${cGit.url}/git/thousands`, cGit.pids)
  rows.push(toRow('push of one commit', await measurePair(ours, theirs, bench.rounds * 3)))
  return rows
}

function toRow(name: string, pair: Pair): Row {
  return { name, against: backend, ...pair }
}

function cloneSide(folder: string, url: string, pids: () => number[]): Side {
  const target = join(folder, 'clone.git')
  return {
    pids,
    async run() {
      await git(folder, 'clone', '--quiet', '--bare', url, target)
      return async () => rmSync(target, { recursive: true })
    },
  }
}

/** A work tree that is ahead by one commit at the start of every round. */
async function pushSide(folder: string, name: string, url: string, pids: () => number[]): Promise<Side> {
  const work = join(folder, `push-${name}`)
  await git(folder, 'clone', '--quiet', url, work)
  const change = async () => {
    writeFileSync(join(work, 'change.txt'), randomBytes(500).toString('hex'))
    await git(work, 'add', 'change.txt')
    await git(work, 'commit', '--quiet', '--message', 'Change')
  }
  await change()
  return {
    pids,
    async run() {
      await git(work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main')
      return change
    },
  }
}
