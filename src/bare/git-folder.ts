/** From a path that somebody names to the folder in which a repository's files lie, as git's `enter_repo` finds it. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'

export interface GitFolder {
  /** Holds `HEAD`. */
  readonly gitPath: string
  /** Holds `objects`, `refs` and `config`: the same, but for a linked worktree. */
  readonly commonPath: string
}

// In git's order: a work tree before the folder itself.
const suffixes = ['/.git', '', '.git/.git', '.git']

/** Throws RepoNotFound. With `isExact` only the folder itself is looked at. */
export function findGitFolder(path: string, isExact: boolean): GitFolder {
  for (const suffix of isExact ? [''] : suffixes) {
    const gitPath = followGitFile(resolve(path + suffix))
    const found = gitPath === undefined ? undefined : asGitFolder(gitPath)
    if (found !== undefined) return found
  }
  throw new HoldfastError('RepoNotFound', { message: `'${path}' does not appear to be a git repository` })
}

// Longer than any path. Whoever names a path must not make us read a large file.
const startBytes = 4096

/** A file `.git` names the folder (submodules, linked worktrees). Undefined for what is not there. */
function followGitFile(path: string): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined || !status.isFile()) return status === undefined ? undefined : path
  if (status.size > startBytes) return undefined
  const target = /^gitdir: (.+?)\s*$/s.exec(readStart(path).toString())?.[1]
  return target === undefined ? undefined : resolve(path, '..', target)
}

function asGitFolder(gitPath: string): GitFolder | undefined {
  if (!existsSync(join(gitPath, 'HEAD'))) return undefined
  const commonFile = join(gitPath, 'commondir')
  const commonPath = existsSync(commonFile) ? resolve(gitPath, readStart(commonFile).toString().trim()) : gitPath
  const isWhole = existsSync(join(commonPath, 'objects')) && existsSync(join(commonPath, 'refs'))
  return isWhole && isHead(readStart(join(gitPath, 'HEAD')).toString('latin1')) ? { gitPath, commonPath } : undefined
}

function readStart(path: string): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const start = Buffer.alloc(startBytes)
    return start.subarray(0, readSync(descriptor, start))
  } finally {
    closeSync(descriptor)
  }
}

function isHead(text: string): boolean {
  return /^ref:\s*refs\//.test(text) || /^[0-9a-f]{40}/.test(text)
}
