/** What a small request waits for while four large clones and a push of 1 GiB are under way on the same server. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { git, run } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { embeddedOf } from './holdfast.ts'
import { applyLoad, type LoadFigures } from './load.ts'
import { lsRefs } from './refs-figures.ts'
import { cGitOf, onBothSides, sourceOf, titleOf } from './repositories.ts'
import type { Measurement, Row } from './row.ts'

const cloneCount = 4
const seconds = 25
const pauseMs = 25
const aimAtMostMs = 50

export const fairnessMeasurements: Measurement[] = [
  { title: 'fairness: ls-refs beside four clones and a push', run: fairnessRows },
]

async function fairnessRows(bench: Bench): Promise<Row[]> {
  const small = await onBothSides(bench, 'small')
  const large = await onBothSides(bench, 'history')
  const [cGit, holdfast] = [await cGitOf(bench, 'c-git'), await embeddedOf(bench, 'embedded')]
  const ours = await probe(bench, small.ours, large.ours, await holdfast.addRepository('fairness'))
  await holdfast.settle()
  const theirs = await probe(bench, small.theirs, large.theirs, await cGit.addRepository(undefined, 'fairness'))
  const title = `ls-refs of a small repository beside 4 clones of the ${await titleOf(bench, 'history')} and a push of 1 GiB`
  const row = (name: string, of: (figures: LoadFigures) => number, more: Partial<Row> = {}): Row => ({
    name: `${title}, ${name}`,
    against: 'git http-backend behind nginx',
    unit: 'ms',
    ours: of(ours),
    theirs: of(theirs),
    ratio: of(theirs) / of(ours),
    rounds: ours.requests,
    ...more,
  })
  const note = `clones and pushes by real git one after another for ${seconds} s, at nice 10 as if on other machines; a request each ${pauseMs} ms`
  return [row('p50', ({ p50Ms }) => p50Ms), row('p99', ({ p99Ms }) => p99Ms, { aimAtMost: aimAtMostMs, note })]
}

/** Asks for the small repository's refs at a steady pace, while the others go on until it has finished. */
async function probe(bench: Bench, small: string, large: string, empty: string): Promise<LoadFigures> {
  let isOver = false
  const blobs = await sourceOf(bench, 'blobs')
  const forever = async (once: (turn: number) => Promise<void>) => {
    for (let turn = 0; !isOver; turn++) await once(turn)
  }
  const clone = (number: number) => async () => {
    const target = join(bench.folder, `beside-${number}.git`)
    await nicely(bench.folder, 'clone', '--quiet', '--bare', large, target)
    rmSync(target, { recursive: true })
  }
  const push = async (turn: number) => {
    await nicely(blobs, 'push', '--quiet', empty, `HEAD:refs/tags/turn-${turn}`)
    await git(blobs, 'push', '--quiet', empty, `:refs/tags/turn-${turn}`)
  }
  const others = [...Array.from({ length: cloneCount }, (_, number) => forever(clone(number))), forever(push)]
  const load = { url: small, exchanges: [lsRefs(small, [])], connections: 1, seconds, pauseMs }
  try {
    return await applyLoad(bench.folder, load)
  } finally {
    isOver = true
    await Promise.all(others)
  }
}

async function nicely(cwd: string, ...args: string[]): Promise<void> {
  const ran = await run('nice', ['-n', '10', 'git', ...args], { cwd })
  if (ran.status !== 0) throw new Error(`git ${args[0]}: ${ran.stderr}`)
}
