/** The file `shallow`: commits at which the history of a repository is cut off (gitrepository-layout). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { commitIds } from '../git/commit.ts'
import { idBytes, type ObjectId, parseObjectId } from '../git/object-id.ts'
import { locateId, type ObjectDatabase } from '../git/repository.ts'
import { syncFolder } from './folders.ts'
import type { GitFolder } from './git-folder.ts'
import { acquireLock } from './lock-file.ts'

export function readShallowIds({ commonPath }: GitFolder): ObjectId[] {
  const path = join(commonPath, 'shallow')
  if (!existsSync(path)) return []
  return readFileSync(path, 'latin1')
    .split('\n')
    .flatMap((line) => parseObjectId(line) ?? [])
}

/** Throws Unsupported where history is missing. */
export function checkComplete(folder: GitFolder): void {
  if (readShallowIds(folder).length === 0) return
  const what = 'is shallow: its history is cut off; complete it with git fetch --unshallow'
  throw new HoldfastError('Unsupported', { message: `The repository at ${folder.gitPath} ${what}.` })
}

/** Those of `ids` that are commits here and lack a parent. */
export function findCuts(objects: ObjectDatabase, ids: readonly ObjectId[]): ObjectId[] {
  return ids.filter((id) => {
    const ordinal = locateId(objects, id)
    if (ordinal < 0 || objects.stat(ordinal).type !== 'commit') return false
    const named = commitIds(objects.read(ordinal).data)
    for (let at = idBytes; at < named.length; at += idBytes) if (objects.locate(named, at) < 0) return true
    return false
  })
}

const lockTimeoutMs = 1000

/** Notes that the history is cut off at these commits as well, before refs come to lead there. */
export async function addShallowIds(folder: GitFolder, ids: readonly ObjectId[]): Promise<void> {
  const lock = await acquireLock(Buffer.from(join(folder.commonPath, 'shallow')), lockTimeoutMs)
  try {
    const all = new Set([...readShallowIds(folder), ...ids])
    lock.write([...all].map((id) => `${id}\n`).join(''))
    lock.commit()
    await syncFolder(folder.commonPath)
  } finally {
    lock.release()
  }
}
