/** Reflogs (gitrepository-layout, "logs"): what a ref was, what it became, who moved it and when. */
import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { formatIdentity } from '../git/identity.ts'
import { nullId, type ObjectId } from '../git/object-id.ts'
import { folderOf, removeEmptyFolders, removeEmptyParents } from './folders.ts'
import { refPath } from './ref-files.ts'
import type { RefSettings } from './settings.ts'

export interface RefLogEntry {
  name: string
  oldId: ObjectId | undefined
  newId: ObjectId | undefined
}

/** Appends to the log of a ref, `HEAD`'s among them, where it has one or should have one. `logsPath` is the folder `logs`. */
export function appendRefLog(logsPath: string, entry: RefLogEntry, settings: RefSettings): void {
  const path = refPath(logsPath, entry.name)
  const line = formatLine(entry, settings)
  const isWanted = wantsLog(entry.name, settings)
  for (;;) {
    try {
      appendLine(path, line, isWanted)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!isWanted && code === 'ENOENT') return
      if (code === 'ENOENT') mkdirSync(folderOf(path), { recursive: true })
      else if (code === 'EISDIR') removeEmptyFolders(path)
      else throw error
      if (!isWanted) return
    }
  }
}

function appendLine(path: Buffer, line: string, mayCreate: boolean): void {
  const { O_APPEND, O_CREAT, O_WRONLY } = constants
  const descriptor = openSync(path, O_WRONLY | O_APPEND | (mayCreate ? O_CREAT : 0), 0o666)
  try {
    writeSync(descriptor, line, null, 'latin1')
  } finally {
    closeSync(descriptor)
  }
}

/** Removes the log of a deleted ref, and folders that are empty then. */
export function removeRefLog(logsPath: string, name: string): void {
  const path = refPath(logsPath, name)
  rmSync(path, { force: true })
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
