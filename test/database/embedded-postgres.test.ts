/**
 * The life of embedded PostgreSQL among servers and commands that come, leave and are killed: as the user that runs the
 * tests, and, where that is root, as an ordinary user as well.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t from 'tap'
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.ts'
import { isReachable } from '../../src/database/postgres-user.ts'
import { createLogger } from '../../src/logger.ts'

const isRoot = process.getuid?.() === 0
const nobody = { uid: 65534, gid: 65534 }
const checkout = fileURLToPath(new URL('../..', import.meta.url))
const root = await openCheckout()
const program = join(root, 'test/support/embedded-holder.ts')
const node = join(root, 'node_modules/node/bin/node')

interface Holder {
  url: string
  refusal: string | undefined
  /** Lets it end by itself. */
  leave(): Promise<void>
  kill(): Promise<void>
}

type Identity = { uid: number; gid: number } | undefined

async function hold(t: Tap, dataDir: string, role: 'server' | 'command', as: Identity): Promise<Holder> {
  // By way of env, which drops tap's own hooks: they write where an ordinary user may not.
  const bare = ['-i', `PATH=${process.env.PATH}`]
  const child = spawn('env', [...bare, node, program, dataDir, role], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...as,
  })
  const exit = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  const unanswered = exit.then(([status]) => {
    throw new Error(`the holder ended with ${status} before it said anything`)
  })
  const [line] = await Promise.race([once(createInterface(child.stdout!), 'line'), unanswered])
  const end = async (act: () => void) => {
    act()
    await exit
  }
  return {
    ...JSON.parse(line),
    leave: () => end(() => child.stdin?.end()),
    kill: () => end(() => child.kill('SIGKILL')),
  }
}

/** This checkout, or, where it lies in root's home, links to its files in a place that an ordinary user can reach. */
async function openCheckout(): Promise<string> {
  if (!isRoot || (await isReachable(checkout, { name: 'nobody', ...nobody }))) return checkout
  const copy = await mkdtemp(join(tmpdir(), 'holdfast-checkout-'))
  t.teardown(() => rm(copy, { recursive: true, force: true }))
  await chmod(copy, 0o755)
  await mkdir(join(copy, 'test'))
  for (const part of ['package.json', 'node_modules', 'src', 'migrations', 'test/support']) {
    const [from, to] = [join(checkout, part), join(copy, part)]
    // Links are made at once, and only within one file system.
    const linked = spawnSync('cp', ['-al', from, to])
    if (linked.status !== 0) spawnSync('cp', ['-a', from, to])
  }
  return copy
}

/** A new folder that every user can reach. */
async function makeFolder(t: Tap, as: Identity): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-embedded-')))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  if (as) await chown(folder, as.uid, as.gid)
  return join(folder, 'data')
}

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Number.parseInt(text, 10)
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await sleep(20)
  }
}

type Tap = Pick<typeof t, 'teardown'>

const identities: [string, Identity][] = [['as this user', undefined]]
if (isRoot) identities.push(['as an ordinary user', nobody])

for (const [name, as] of identities) {
  t.test(`${name}: servers and commands share one PostgreSQL`, async (t) => {
    const dataDir = await makeFolder(t, as)
    // Three at once on an empty folder: one makes the cluster, one starts it, all get the same.
    const [server, ...commands] = await Promise.all([
      hold(t, dataDir, 'server', as),
      hold(t, dataDir, 'command', as),
      hold(t, dataDir, 'command', as),
    ])
    t.equal(commands[0].url, server.url)
    t.same(await query(server.url, 'show fsync'), [{ fsync: 'on' }])
    t.same(await query(server.url, 'show listen_addresses'), [{ listen_addresses: '' }])
    t.same((await readdir(dataDir)).sort(), ['postgres', 'postgres.log'], 'nothing is left of the making')

    const second = await hold(t, dataDir, 'server', as)
    t.match(second.refusal, /^Another Holdfast server runs on .*Stop it first/)
    const pid = await postmasterPid(dataDir)
    for (const command of commands) await command.leave()
    t.equal(await postmasterPid(dataDir), pid, 'it stays for the server')
    await server.leave()
    t.equal(await postmasterPid(dataDir), undefined, 'the last one out stops it')
  })

  t.test(`${name}: a killed server's PostgreSQL is found again, alive or dead`, async (t) => {
    const dataDir = await makeFolder(t, as)
    const first = await hold(t, dataDir, 'server', as)
    await query(first.url, 'create table notes as select 1 as one')
    const pid = await postmasterPid(dataDir)
    await first.kill()

    const second = await hold(t, dataDir, 'server', as)
    t.equal(second.refusal, undefined)
    t.equal(await postmasterPid(dataDir), pid, 'it outlived the server')
    await second.kill()

    process.kill(pid!, 'SIGKILL')
    await untilGone(pid!)
    t.equal(await postmasterPid(dataDir), pid, 'its lock file stays')
    const third = await hold(t, dataDir, 'server', as)
    t.equal(third.refusal, undefined)
    t.not(await postmasterPid(dataDir), pid)
    t.same(await query(third.url, 'select one from notes'), [{ one: 1 }])
    await third.leave()

    // As after a container's restart: the number in the lock file is now another process of PostgreSQL's user.
    const lockFile = join(dataDir, 'postgres', 'postmaster.pid')
    const stranger = spawn('sleep', ['600'], { cwd: '/', ...(as ?? (isRoot ? await ownerOf(dataDir) : undefined)) })
    t.teardown(() => stranger.kill('SIGKILL'))
    await writeFile(
      lockFile,
      `${stranger.pid}\n${join(dataDir, 'postgres')}\n1\n5432\n${join(dataDir, 'postgres')}\n\n 1 1\n`,
    )
    if (as) await chown(lockFile, as.uid, as.gid)
    const fourth = await hold(t, dataDir, 'server', as)
    t.equal(fourth.refusal, undefined)
    t.same(await query(fourth.url, 'select one from notes'), [{ one: 1 }])
    await fourth.leave()
  })
}

async function ownerOf(dataDir: string) {
  const { uid, gid } = await stat(join(dataDir, 'postgres'))
  return { uid, gid }
}

t.test('a path too long for a socket, and a second start in one process', async (t) => {
  // Where PostgreSQL's programs are copied beside the data, initdb calls them through a shell, which takes no such name.
  const oddName = root === checkout ? 'y, "z"' : 'y, z'
  const dataDir = join(await makeFolder(t, undefined), 'x'.repeat(60), oddName.repeat(10))
  const postgres = await startEmbeddedPostgres({ dataDir, logger: createLogger('silent') })
  const socketFolder = new URL(postgres.url).searchParams.get('host')!
  t.notOk(socketFolder.startsWith(dataDir))
  const again = await startEmbeddedPostgres({ dataDir, logger: createLogger('silent') })
  t.equal(again.url, postgres.url)
  t.same(await query(again.url, 'select 1 as one'), [{ one: 1 }])
  await postgres.close()
  await again.close()
  await t.rejects(readdir(socketFolder), { code: 'ENOENT' })
})

t.test('a data folder that PostgreSQL cannot use is refused with a sentence', async (t) => {
  const dataDir = await makeFolder(t, undefined)
  await mkdir(join(dataDir, 'postgres'), { recursive: true })
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '9.6\n')
  if (isRoot) await chown(join(dataDir, 'postgres'), nobody.uid, nobody.gid)
  const start = () => startEmbeddedPostgres({ dataDir, logger: createLogger('silent') })
  await t.rejects(start(), {
    code: 'Unavailable',
    message: /did not start on .* ends with:\n[\s\S]*postgresql\.conf/,
  })
  if (!isRoot) return
  await chmod(join(dataDir, '..'), 0o700)
  await t.rejects(start(), { code: 'Unavailable', message: /nobody, who cannot reach .*chmod o\+x/ })
})
