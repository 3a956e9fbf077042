/** The file `shallow`: commits at which the history of a repository is cut off (gitrepository-layout). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import type { GitFolder } from './git-folder.ts'

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
