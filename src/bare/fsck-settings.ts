/** `receive.fsckObjects` and what changes it (git-config, receive.fsck.*). */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { messageIds } from '../git/fsck/messages.ts'
import { type FsckSettings, parseSkipList, strictSettings, withSeverities } from '../git/fsck/settings.ts'
import type { BareRepository } from './bare-repository.ts'

/**
 * Undefined where received objects are not checked. Tells `print` of ids that are not known, as git does, which a newer
 * git may know. Throws InputInvalid for what cannot be understood.
 */
export function readFsckSettings(
  { gitPath, settings }: BareRepository,
  print: (text: string) => void,
): FsckSettings | undefined {
  const { fsckObjects, fsckSeverities, fsckSkipList } = settings.receive
  if (!fsckObjects) return undefined
  const known = new Set(messageIds.map((id) => id.toLowerCase()))
  const changes = Object.entries(fsckSeverities).filter(([id]) => {
    if (!known.has(id)) print(`warning: skipping unknown msg id '${id}'\n`)
    return known.has(id)
  })
  const changed = withSeverities(strictSettings, Object.fromEntries(changes))
  if (fsckSkipList === undefined) return changed
  return { ...changed, skipIds: parseSkipList(readSkipList(resolve(gitPath, fsckSkipList))) }
}

function readSkipList(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new HoldfastError('InputInvalid', { message: `could not open object name list: ${path}` })
  }
}
