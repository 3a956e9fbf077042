/** PostgreSQL refuses to run as root: started by root, it runs as an unprivileged user of this machine. */
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError } from '../errors.ts'

export interface PostgresUser {
  name: string
  uid: number
  gid: number
}

/** In this order. `initdb` looks its user up by name, so a bare number would not do. */
const userNames = ['postgres', 'nobody']

/**
 * Whom PostgreSQL runs as: undefined (as this process) unless this process is root. The owner of an existing data folder
 * stays its owner, whatever users were added to the machine since.
 */
export async function choosePostgresUser(dataFolder: string): Promise<PostgresUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const users = await readUsers()
  const owner = await stat(dataFolder).catch(() => undefined)
  const candidates =
    owner === undefined || owner.uid === 0
      ? userNames.map((name) => users.find((user) => user.name === name))
      : [users.find(({ uid }) => uid === owner.uid)]
  const user = candidates.find((candidate) => candidate !== undefined)
  if (user !== undefined) return user
  const message =
    owner === undefined || owner.uid === 0
      ? `PostgreSQL does not run as root, and there is no user ${userNames.join(' or ')} to run it as. Start Holdfast as an ordinary user.`
      : `${dataFolder} belongs to user ${owner.uid}, who does not exist here. Give it to the user that PostgreSQL shall run as.`
  throw new HoldfastError('Unavailable', { message })
}

async function readUsers(): Promise<PostgresUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n')
  return lines
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

/** True if `user` may search `folder` and every folder above it. */
export async function isReachable(folder: string, user: PostgresUser): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path)
    const searchBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & searchBit) === 0) return false
    if (path === dirname(path)) return true
  }
}
