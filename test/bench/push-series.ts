/** Commits that are ready to be pushed one by one, as refs of a client's repository and as the requests that push them. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git, run } from '../support/git.ts'
import { type Answer, type Exchange, send } from './exchange.ts'

export interface Series {
  /** A bare repository that has the commits. */
  client: string
  branch: string
  /** Each the child of the one before. */
  commits: string[]
}

/** `count` commits on each of `branches`, on top of main of `source`; each changes one file. */
export async function makeSeries(folder: string, source: string, branches: string[], count: number): Promise<Series[]> {
  const client = join(folder, `series-${branches[0]}-${count}.git`)
  await git('.', 'init', '--quiet', '--bare', client)
  writeFileSync(join(client, 'objects/info/alternates'), `${join(source, 'objects')}\n`)
  const main = await git(source, 'rev-parse', 'refs/heads/main')
  const stream = branches.flatMap((branch) =>
    Array.from({ length: count }, (_, number) => {
      const ref = `refs/heads/${branch}`
      const content = `${branch} ${number}\n${'a line that does not change\n'.repeat(20)}`
      const head = `commit ${ref}\ncommitter Ada <ada@example.org> ${1_800_000_000 + number} +0000\ndata 6\nChange\n`
      const from = number === 0 ? `from ${main}\n` : ''
      return `${head}${from}M 100644 inline change-${branch}.txt\ndata ${content.length}\n${content}\n`
    }),
  )
  const imported = await run('git', ['fast-import', '--quiet'], { cwd: client, stdin: stream.join('') })
  if (imported.status !== 0) throw new Error(`git fast-import: ${imported.stderr}`)
  const commitsOf = async (branch: string) => await git(client, 'rev-list', '--reverse', branch, `^${main}`)
  const made = branches.map(async (branch) => ({ client, branch, commits: (await commitsOf(branch)).split('\n') }))
  return Promise.all(made)
}

export interface Move {
  ref: string
  /** Undefined: there is none yet. */
  oldId?: string
  newId: string
}

/**
 * The POST that a client sends to make these moves, with the pack that git makes for them: without what the old ids and
 * `known` lead to. To be sent by `sendPush`, to any repository that has those.
 */
export async function pushRequest(client: string, moves: readonly Move[], known: string[] = []): Promise<Exchange> {
  const excluded = [...moves.map(({ oldId }) => oldId), ...known].filter((id) => id !== undefined)
  const revisions = [...new Set([...moves.map(({ newId }) => newId), ...excluded.map((id) => `^${id}`)])].join('\n')
  const file = join(client, `push-${moves[0].newId}.pack`)
  const command = `git pack-objects --revs --thin --delta-base-offset --stdout -q >"${file}"`
  const packed = await run('sh', ['-c', command], { cwd: client, stdin: `${revisions}\n` })
  if (packed.status !== 0) throw new Error(`git pack-objects: ${packed.stderr}`)
  const headers = {
    'content-type': 'application/x-git-receive-pack-request',
    accept: 'application/x-git-receive-pack-result',
  }
  return { method: 'POST', path: '/git-receive-pack', headers, body: bodyOf(commandsOf(moves), file) }
}

/** Pushes to the repository at `url`. */
export function sendPush(url: string, request: Exchange): Promise<Answer> {
  return send(url, { ...request, path: `${new URL(url).pathname}${request.path}` })
}

/** Small packs are held: reading a file would count as the server's time. */
function bodyOf(before: Buffer, file: string): Exchange['body'] {
  if (statSync(file).size > 2 ** 20) return { file, before }
  const body = Buffer.concat([before, readFileSync(file)])
  rmSync(file)
  return body
}

function commandsOf(moves: readonly Move[]): Buffer {
  const lines = moves.map(({ ref, oldId = '0'.repeat(40), newId }, number) => {
    const capabilities = number === 0 ? '\0 report-status side-band-64k object-format=sha1 agent=git/bench' : ''
    const line = `${oldId} ${newId} ${ref}${capabilities}`
    return `${(line.length + 4).toString(16).padStart(4, '0')}${line}`
  })
  return Buffer.from(`${lines.join('')}0000`)
}

/** `git push --mirror` to an empty repository; git's own would take minutes for 100,000 refs, in the client. */
export async function pushAllRefs(url: string, source: string): Promise<void> {
  const refs = (await git(source, 'for-each-ref', '--format=%(objectname) %(refname)')).split('\n')
  const moves = refs.map((line) => ({ newId: line.slice(0, 40), ref: line.slice(41) }))
  await sendPush(url, await pushRequest(source, moves))
}
