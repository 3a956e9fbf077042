/** Reflogs (gitrepository-layout, "logs"): what a ref was, what it became, who moved it and when. */
import { closeSync, constants, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { HoldfastError } from '../errors.ts'
import { formatIdentity } from '../git/identity.ts'
import { nullId, type ObjectId } from '../git/object-id.ts'
import { folderOf, removeEmptyFolders, removeEmptyParents, removeFile } from './folders.ts'
import { refPath } from './ref-files.ts'
import type { RefSettings } from './settings.ts'

export interface RefLogEntry {
  name: string
  oldId: ObjectId | undefined
  newId: ObjectId | undefined
}

/** Throws Conflict where logs of other refs lie where that of `name` should be. Folders without any are removed. */
export function clearRefLogPath(logsPath: string, name: string, settings: RefSettings): void {
  if (!wantsLog(name, settings)) return
  const path = refPath(logsPath, name)
  if (!isFolder(path)) return
  removeEmptyFolders(path)
  if (isFolder(path)) throw cannotLog(name, `there are still logs under '${path}'`)
}

/**
 * Appends to the log of a ref, `HEAD`'s among them, where it has one or should have one. `logsPath` is the folder `logs`.
 * Throws Conflict, in git's words, where it cannot.
 */
export function appendRefLog(logsPath: string, entry: RefLogEntry, settings: RefSettings): void {
  const path = refPath(logsPath, entry.name)
  const line = formatLine(entry, settings)
  const isWanted = wantsLog(entry.name, settings)
  const tried = new Set<string>()
  for (;;) {
    try {
      appendLine(path, line, isWanted)
      return
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!isWanted && (code === 'ENOENT' || code === 'EISDIR')) return
      // Each cure once: a link to nowhere stays one however often its folder is made.
      if (tried.has(code)) throw cannotLog(entry.name, whyNot(path, error))
      tried.add(code)
      if (code === 'ENOENT') mkdirSync(folderOf(path), { recursive: true })
      else if (code === 'EISDIR') removeEmptyFolders(path)
      else throw cannotLog(entry.name, whyNot(path, error))
    }
  }
}

function whyNot(path: Buffer, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EISDIR') return `there are still logs under '${path}'`
  if (code === 'ENOENT') return `unable to create directory for '${path}': ${message}`
  return `unable to append to '${path}': ${message}`
}

function cannotLog(name: string, why: string): HoldfastError {
  return new HoldfastError('Conflict', { message: `cannot update the ref '${Buffer.from(name, 'latin1')}': ${why}` })
}

/** What cannot be looked at is none. */
function isFolder(path: Buffer): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function appendLine(path: Buffer, line: string, mayCreate: boolean): void {
  const { O_APPEND, O_CREAT, O_WRONLY } = constants
  const descriptor = openSync(path, O_WRONLY | O_APPEND | (mayCreate ? O_CREAT : 0), 0o666)
  try {
    writeFileSync(descriptor, line, 'latin1')
  } finally {
    closeSync(descriptor)
  }
}

/** Removes the log of a deleted ref, and folders that are empty then. Never throws: the ref itself is going already. */
export function removeRefLog(logsPath: string, name: string): void {
  const path = refPath(logsPath, name)
  try {
    removeFile(path)
  } catch {
    // Git warns on its standard error and goes on.
    return
  }
  removeEmptyParents(path, refPath(logsPath, name.split('/').slice(0, 2).join('/')))
}

function wantsLog(name: string, { logAllRefUpdates }: RefSettings): boolean {
  if (logAllRefUpdates === 'always') return true
  return logAllRefUpdates && (name === 'HEAD' || /^refs\/(heads|remotes|notes)\//.test(name))
}

function formatLine({ oldId, newId }: RefLogEntry, settings: RefSettings): string {
  return `${oldId ?? nullId} ${newId ?? nullId} ${Buffer.from(whoAndWhen(settings)).toString('latin1')}\tpush\n`
}

/** The committer as git finds it: the environment, the configuration, the account. */
function whoAndWhen({ userName, userEmail }: RefSettings): string {
  const { GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL, EMAIL } = process.env
  const account = userInfo().username
  const now = new Date()
  const offset = -now.getTimezoneOffset()
  const digits = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0')
  return formatIdentity({
    name: GIT_COMMITTER_NAME || asText(userName) || account,
    email: GIT_COMMITTER_EMAIL || asText(userEmail) || EMAIL || `${account}@${hostname()}`,
    seconds: Math.floor(now.getTime() / 1000),
    timezone: `${offset < 0 ? '-' : '+'}${digits(offset / 60)}${digits(offset % 60)}`,
  })
}

function asText(latin1: string | undefined): string | undefined {
  return latin1 === undefined ? undefined : Buffer.from(latin1, 'latin1').toString()
}
