/** A PostgreSQL cluster in a folder: made, started, found again and stopped. Knows processes and files, no SQL. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, open, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { PostgresUser } from './postgres-user.ts'

export interface Cluster {
  dataFolder: string
  logPath: string
  /** The folder of initdb and postgres. */
  programs: string
  /** Whom PostgreSQL runs as; undefined: as this process. */
  user: PostgresUser | undefined
  /** Settings on top of ours, by their names in postgresql.conf. */
  settings: Record<string, string>
}

/** A running postmaster, as its lock file names it. */
export interface Postmaster {
  pid: number
  socketFolder: string
}

export const superuser = 'holdfast'
/** Only the name of the socket; nothing listens on it. */
export const port = 5432
/** sun_path of a Unix socket, less the terminating zero, on Linux; macOS has 103. */
const socketPathMaxBytes = 103
const stopTimeoutMs = 60_000
const pollMs = 25

/** Makes the cluster unless it exists. Safe to call from several processes at once: the first to finish wins. */
export async function initCluster(cluster: Cluster): Promise<void> {
  if (await stat(cluster.dataFolder).catch(() => undefined)) return
  const unfinished = `${cluster.dataFolder}.${randomBytes(4).toString('hex')}`
  await mkdir(unfinished, { mode: 0o700 })
  try {
    if (cluster.user) await chown(unfinished, cluster.user.uid, cluster.user.gid)
    // Only the socket is listened on, and only its owner and root may enter its folder: that is the authentication.
    const options = ['--auth-local=trust', '--auth-host=reject', '--encoding=UTF8', '--no-instructions']
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const sync = cluster.settings.fsync === 'off' ? ['--no-sync'] : []
    const args = ['-D', unfinished, '-U', superuser, ...options, ...locale, ...sync]
    await promisify(execFile)(join(cluster.programs, 'initdb'), args, spawnOptions(cluster))
    await rename(unfinished, cluster.dataFolder).catch(ignoreIfTaken)
    await syncFolder(dirname(cluster.dataFolder))
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

function ignoreIfTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path)
  await folder.sync()
}

/**
 * Starts a postmaster, without waiting until it accepts connections. It has a session of its own, so that a Ctrl-C meant
 * for the server does not reach it before the server has finished, and it outlives this process. If another one runs on
 * the same folder already, the started one exits at once.
 */
export async function startPostmaster(cluster: Cluster): Promise<ChildProcess> {
  await forgetForeignPid(cluster)
  const settings = {
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: await chooseSocketFolder(cluster),
    unix_socket_permissions: '0700',
    // LOG ranks above ERROR here: starts and stops are written, failed statements are not (their caller reports them).
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...cluster.settings,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  await using log = await open(cluster.logPath, 'w')
  const child = spawn(join(cluster.programs, 'postgres'), ['-D', cluster.dataFolder, ...args], {
    ...spawnOptions(cluster),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  return child
}

function spawnOptions({ user }: Cluster) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' }
  // The working directory must be one that the unprivileged user can search.
  return { cwd: '/', env, ...(user && { uid: user.uid, gid: user.gid }) }
}

/** The socket lies in the data folder (0700), or, where that path is too long, in a new folder of the system's temp. */
async function chooseSocketFolder({ dataFolder, user }: Cluster): Promise<string> {
  const isShort = Buffer.byteLength(join(dataFolder, `.s.PGSQL.${port}`)) <= socketPathMaxBytes
  // The setting is a list: commas and quotes in a path would need quoting.
  if (isShort && !/[",\s]/.test(dataFolder)) return dataFolder
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  await chmod(folder, 0o700)
  if (user) await chown(folder, user.uid, user.gid)
  return folder
}

/** The living postmaster of this cluster, starting or ready; undefined if there is none. */
export async function findPostmaster({ dataFolder }: Cluster): Promise<Postmaster | undefined> {
  const lines = await readLockFile(dataFolder)
  if (lines === undefined || lines.length < 5) return undefined
  const pid = Number(lines[0])
  return (await isPostmaster(pid, dataFolder)) ? { pid, socketFolder: lines[4] } : undefined
}

/** The lines of postmaster.pid: pid, data folder, start time, port, socket folder, … (src/include/utils/pidfile.h). */
async function readLockFile(dataFolder: string): Promise<string[] | undefined> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => undefined)
  return text?.split('\n')
}

/** Whether `pid` is this cluster's postmaster and no other process that was given the same number since. */
async function isPostmaster(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  // A postmaster works in its data folder.
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return workingFolder === dataFolder
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/**
 * PostgreSQL refuses to start while the pid in its lock file belongs to a living process of its user, whatever that is:
 * after a container was killed and started again the number is often taken by another process. The pid of its parent it
 * takes for a stale one, and it still checks that no backend of the old postmaster is left.
 */
async function forgetForeignPid(cluster: Cluster): Promise<void> {
  const lines = await readLockFile(cluster.dataFolder)
  if (lines === undefined || !isAlive(Number(lines[0])) || (await findPostmaster(cluster))) return
  await writeFile(join(cluster.dataFolder, 'postmaster.pid'), [String(process.pid), ...lines.slice(1)].join('\n'))
}

/** Stops the postmaster as `pg_ctl stop -m fast` does: open transactions are rolled back, the rest is made durable. */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const postmaster = await findPostmaster(cluster)
  if (postmaster === undefined) return
  process.kill(postmaster.pid, 'SIGINT')
  const deadline = Date.now() + stopTimeoutMs
  while (await findPostmaster(cluster)) {
    if (Date.now() > deadline) throw new Error(`PostgreSQL (process ${postmaster.pid}) did not stop.`)
    await sleep(pollMs)
  }
  if (postmaster.socketFolder !== cluster.dataFolder)
    await rm(postmaster.socketFolder, { recursive: true, force: true })
}
