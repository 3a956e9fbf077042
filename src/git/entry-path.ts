/**
 * Paths of files as somebody outside of Git writes them: what a tree may hold, and what can be checked out on the systems
 * that people use. Names that differ in case or in their Unicode form alone are different names, as in Git itself.
 */
import { HoldfastError } from '../errors.ts'
import { dotGit, scanName, specialNamesOf } from './fsck/special-names.ts'

export interface PathLimits {
  gitPathMaxBytes: number
  gitPathDepthMax: number
  gitEntryNameMaxBytes: number
}

const backslash = 0x5c
const deleteByte = 0x7f

/** The names in a path, in latin1 as a tree holds them. Throws PathInvalid. */
export function splitEntryPath(path: string, limits: PathLimits): string[] {
  // 3 bytes in UTF-8 are the most that one unit of a text may be.
  if (path.length > limits.gitPathMaxBytes) throw pathInvalid(path, `is longer than ${limits.gitPathMaxBytes} bytes`)
  if (!path.isWellFormed()) throw pathInvalid(path, 'is no Unicode text')
  const bytes = Buffer.from(path)
  if (bytes.length > limits.gitPathMaxBytes) throw pathInvalid(path, `is longer than ${limits.gitPathMaxBytes} bytes`)
  for (const byte of bytes) {
    if (byte < 0x20 || byte === deleteByte) throw pathInvalid(path, 'holds a control character')
    if (byte === backslash) throw pathInvalid(path, 'holds a backslash: folders are separated by slashes')
  }
  const names = bytes.toString('latin1').split('/')
  if (names.length > limits.gitPathDepthMax) {
    throw pathInvalid(path, `lies deeper than ${limits.gitPathDepthMax} folders`)
  }
  for (const name of names) {
    const reason = objectionTo(name, limits.gitEntryNameMaxBytes)
    if (reason !== undefined) throw pathInvalid(path, reason)
  }
  return names
}

function objectionTo(name: string, nameMaxBytes: number): string | undefined {
  if (name === '') return 'has an empty segment'
  if (name === '.' || name === '..') return `has the segment "${name}"`
  if (name.length > nameMaxBytes) return `has a name longer than ${nameMaxBytes} bytes`
  const bytes = Buffer.from(name, 'latin1')
  const special = specialNamesOf(bytes, 0, bytes.length, scanName(bytes, 0, bytes.length))
  return (special & dotGit) === 0 ? undefined : 'has a name that Git takes for ".git"'
}

function pathInvalid(path: string, reason: string): HoldfastError {
  const shown = JSON.stringify((path.length > 200 ? `${path.slice(0, 200)}…` : path).toWellFormed())
  return new HoldfastError('PathInvalid', { message: `The path ${shown} ${reason}.` })
}
