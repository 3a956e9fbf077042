/**
 * How long the event loop of a server is held up by each kind of large work: `node test/fairness/hold-ups.ts [part of a name]`.
 * The server runs in this process, so that its loop can be measured; real git does the asking. For every turn of the loop
 * above the limit the CPU profile says which functions took it.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type RunningServer, startServer } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { createUser } from '../../src/hub/accounts.ts'
import { operator } from '../../src/hub/principal.ts'
import { createRepo } from '../../src/hub/repos.ts'
import { createToken } from '../../src/hub/tokens.ts'
import { createLogger } from '../../src/logger.ts'
import { gitEnvironment } from '../support/git.ts'
import { makeHistory } from '../support/histories.ts'

const limitMs = 5
const MiB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'holdfast-hold-ups-'))
// Started by root, embedded PostgreSQL runs as an ordinary user, who must be able to pass through.
chmodSync(folder, 0o711)
const wanted = process.argv[2] ?? ''
const largeMiB = Number(process.env.LARGE_MIB ?? 1024)

const run = promisify(execFile)
async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await run('git', args, { cwd, env: gitEnvironment(), maxBuffer: 256 * MiB })).stdout
}

interface Turn {
  at: number
  heldMs: number
}

/** Notes every turn of the loop that took long: a timer that comes late tells of it. */
function watchLoop(): () => Turn[] {
  const turns: Turn[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    if (now - last > limitMs + 1) turns.push({ at: now, heldMs: now - last - 1 })
    last = now
  }, 1)
  return () => {
    clearInterval(timer)
    return turns
  }
}

/** Runs `work` and prints what it did to the event loop. */
async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  if (!name.includes(wanted)) {
    await work()
    return
  }
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
  const startedAt = performance.now()
  const stop = watchLoop()
  await work()
  const turns = stop().sort((a, b) => b.heldMs - a.heldMs)
  const tookMs = performance.now() - startedAt
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const longest = turns.slice(0, 3).map((turn) => turn.heldMs.toFixed(1))
  console.log(`${name}: ${(tookMs / 1000).toFixed(1)} s, ${turns.length} turns above ${limitMs} ms, longest ${longest}`)
  for (const line of blame(profile, turns, startedAt)) console.log(`    ${line}`)
}

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[]
  startTime: number
  samples?: number[]
  timeDeltas?: number[]
}

/** The functions that were on the processor in the long turns, those of this project before what they called. */
function blame(profile: Profile, turns: readonly Turn[], startedAt: number): string[] {
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  )
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const spent = new Map<string, number>()
  let at = startedAt
  for (const [index, sample] of (profile.samples ?? []).entries()) {
    const deltaMs = (profile.timeDeltas?.[index] ?? 0) / 1000
    at += deltaMs
    if (!turns.some((turn) => at > turn.at - turn.heldMs && at <= turn.at)) continue
    let node = nodes.get(sample)
    let label = node?.callFrame.functionName ?? '?'
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      node = nodes.get(id)
      if (!node?.callFrame.url.includes('/src/')) continue
      const { functionName, url, lineNumber } = node.callFrame
      label = `${functionName} ${url.slice(url.lastIndexOf('/src/') + 1)}:${lineNumber + 1}, in ${label}`
      break
    }
    if (label !== '(idle)') spent.set(label, (spent.get(label) ?? 0) + deltaMs)
  }
  const sorted = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 6)
  return sorted.filter(([, ms]) => ms >= 2).map(([label, ms]) => `${ms.toFixed(1)} ms ${label}`)
}

interface Place {
  server: RunningServer
  remote(name: string): Promise<string>
}

async function open(): Promise<Place> {
  const config = readConfig({ PORT: '0', DATA_DIR: join(folder, 'data'), JOBS: 'off', REQUESTS_PER_MINUTE_MAX: '0' })
  const server = await startServer(config, { logger: createLogger('error') })
  await createUser(server.hub, { name: 'ada', isAdmin: true })
  const token = await createToken(server.hub, { userName: 'ada', role: 'admin', name: 'hold-ups' })
  return {
    server,
    async remote(name) {
      await createRepo(server.hub, operator, { type: 'model', namespace: 'ada', name }, 'public')
      return `${server.url.replace('://', `://ada:${token}@`)}/ada/${name}`
    },
  }
}

/** `count` files of `sizeBytes` each, in one commit. */
async function makeFiles(name: string, count: number, sizeBytes: number): Promise<string> {
  const work = join(folder, name)
  await git(folder, 'init', '--quiet', '--initial-branch=main', work)
  for (let number = 0; number < count; number++) {
    const path = join(work, `part-${number % 200}`)
    if (number < 200) await mkdir(path)
    await writeFile(join(path, `file-${number}.bin`), randomBytes(sizeBytes))
  }
  await git(work, 'add', '--all')
  await git(work, 'commit', '--quiet', '--message', 'All at once')
  return work
}

async function largeBlobs(place: Place): Promise<void> {
  const work = await makeFiles('large', largeMiB / 8, 8 * MiB)
  const remote = await place.remote('large')
  await measure(`push of ${largeMiB} MiB`, () => git(work, 'push', '--quiet', remote, 'main'))
  await measure(`clone of ${largeMiB} MiB`, () => git(folder, 'clone', '--quiet', '--bare', remote, 'large.git'))
  rmSync(work, { recursive: true })
  rmSync(join(folder, 'large.git'), { recursive: true })
}

async function manyObjects(place: Place): Promise<void> {
  const work = await makeFiles('many', 50_000, 120)
  const remote = await place.remote('many')
  await measure('push of 50,000 objects', () => git(work, 'push', '--quiet', remote, 'main'))
  await measure('clone of 50,000 objects', () => git(folder, 'clone', '--quiet', '--bare', remote, 'many.git'))
  rmSync(work, { recursive: true })
}

async function history(place: Place): Promise<void> {
  const origin = await makeHistory(join(folder, 'history.git'), 'thousands')
  const remote = await place.remote('history')
  await measure('push of 2,000 commits', () => git(origin, 'push', '--quiet', remote, 'main'))
  const behind = join(folder, 'behind.git')
  await git(folder, 'init', '--quiet', '--bare', behind)
  await git(origin, 'push', '--quiet', behind, 'main~800:refs/heads/main')
  await measure('fetch 800 behind', () => git(behind, 'fetch', '--quiet', remote, 'main'))
  await measure('clone without a clone pack', () => git(folder, 'clone', '--quiet', '--bare', remote, 'whole.git'))
  for (let number = 0; number < 3; number++) {
    await git(origin, 'push', '--quiet', remote, `main~${number}:refs/heads/branch-${number}`)
  }
  const { database, repositories } = place.server.hub
  const [repo] = await database.query<{ id: never }>("select id from repos where name = 'history'")
  await measure('compaction', () => repositories.compact(repo.id))
  await measure('clone with a clone pack', () => git(folder, 'clone', '--quiet', '--bare', remote, 'again.git'))
}

async function manyRefs(place: Place): Promise<void> {
  const work = await makeFiles('refs', 1, 100)
  const remote = await place.remote('refs')
  const tip = (await git(work, 'rev-parse', 'HEAD')).trim()
  const refs = Array.from({ length: 100_000 }, (_, number) => `${tip} refs/heads/branch-${number}`)
  await writeFile(join(work, '.git', 'packed-refs'), `${refs.sort().join('\n')}\n`)
  await measure('push of 100,000 refs', () => git(work, 'push', '--quiet', remote, 'refs/heads/*:refs/heads/*'))
  await measure('ls-refs of 100,000 refs, first', () => git(folder, 'ls-remote', remote))
  await measure('ls-refs of 100,000 refs, again', () => git(folder, 'ls-remote', remote))
  await git(work, 'commit', '--quiet', '--allow-empty', '--message', 'More')
  await measure('push of one ref beside 100,000', () => git(work, 'push', '--quiet', remote, 'HEAD:refs/heads/main'))
  await measure('ls-refs of 100,000 refs, after it', () => git(folder, 'ls-remote', remote))
}

const place = await open()
try {
  await measure('nothing, for 2 s', () => new Promise((resolve) => setTimeout(resolve, 2_000)))
  for (const part of [manyObjects, history, manyRefs, largeBlobs]) {
    if ((process.env.PARTS ?? part.name).includes(part.name)) await part(place)
  }
} finally {
  await place.server.close()
  rmSync(folder, { recursive: true, force: true })
}
