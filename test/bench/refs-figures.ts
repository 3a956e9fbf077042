/** 100,000 refs: all of them, and the hundred with one prefix. The same request again and again, as fetches ask it. */
import { git } from '../support/git.ts'
import type { Bench } from './bench-run.ts'
import { measureReplay } from './clone-figures.ts'
import type { Exchange } from './exchange.ts'
import { type LoadedSide, loadConnections, loadedRow, measureLoad } from './load-figures.ts'
import { refPrefix } from './made-history.ts'
import { measurePair, type Side } from './measure.ts'
import { onBothSides, processesOf, titleOf } from './repositories.ts'
import { cGitName, type Measurement, type Row, rowOf } from './row.ts'

export const refsMeasurements: Measurement[] = [
  { title: 'refs: ls-refs of 100,000', run: wholeRows },
  { title: 'refs: ls-refs of one prefix', run: prefixRows },
]

async function wholeRows(bench: Bench): Promise<Row[]> {
  const urls = await onBothSides(bench, 'refs')
  const processes = await processesOf(bench)
  const side = (of: 'ours' | 'theirs'): Side => ({
    processes: processes[of],
    run: async () => {
      await git(bench.folder, 'ls-remote', '--quiet', urls[of])
    },
  })
  const whole = await measurePair(side('ours'), side('theirs'), { rounds: bench.rounds, budgetMs: 30_000 })
  const title = `${await titleOf(bench, 'refs')}: ls-refs, whole`
  return [rowOf(`${title}, git ls-remote end to end`, whole, { aim: 1 }), await aloneRow(bench, title, [], 1)]
}

/** One connection a request is what a lone fetch feels; connections kept open are what a busy hub does. */
async function prefixRows(bench: Bench): Promise<Row[]> {
  const urls = await onBothSides(bench, 'refs')
  const processes = await processesOf(bench)
  const title = `${await titleOf(bench, 'refs')}: ls-refs, one prefix of 100`
  const side = (of: 'ours' | 'theirs'): LoadedSide => ({
    url: urls[of],
    processes: processes[of],
    exchanges: [lsRefs(urls[of], [refPrefix])],
  })
  const loaded = await measureLoad(bench, side('ours'), side('theirs'))
  const name = `${title}, per second, ${loadConnections} connections`
  return [await aloneRow(bench, title, [refPrefix], undefined), loadedRow(loaded, { name, against: cGitName, aim: 10 })]
}

async function aloneRow(
  bench: Bench,
  title: string,
  prefixes: readonly string[],
  aim: number | undefined,
): Promise<Row> {
  const urls = await onBothSides(bench, 'refs')
  const exchanges = { ours: [lsRefs(urls.ours, prefixes)], theirs: [lsRefs(urls.theirs, prefixes)] }
  const alone = await measureReplay(bench, urls, exchanges, { rounds: bench.rounds * 6, budgetMs: 30_000 })
  return rowOf(`${title}, server alone`, alone.pair, { aim, bytesSent: alone.bytesSent })
}

/** As git asks before a fetch (gitprotocol-v2). */
export function lsRefs(url: string, prefixes: readonly string[]): Exchange {
  const lines = ['peel', 'symrefs', ...prefixes.map((prefix) => `ref-prefix ${prefix}`)]
  const body = `${pktLine('command=ls-refs')}${pktLine('object-format=sha1')}0001${lines.map(pktLine).join('')}0000`
  return {
    method: 'POST',
    path: `${new URL(url).pathname}/git-upload-pack`,
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
      'git-protocol': 'version=2',
    },
    body: Buffer.from(body),
  }
}

function pktLine(text: string): string {
  return `${(text.length + 5).toString(16).padStart(4, '0')}${text}\n`
}
