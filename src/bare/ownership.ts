/**
 * Whose repository is it? One's own configuration and hooks run as whoever serves it: git refuses to serve somebody
 * else's unless its folder is declared safe (git-config, "safe.directory"; CVE-2022-24765), and so is it here.
 */
import { statSync } from 'node:fs'
import { geteuid } from 'node:process'
import { HoldfastError } from '../errors.ts'
import { readOuterConfig } from './config.ts'

/** Throws AccessDenied for a repository of another user that no `safe.directory` names. `gitPath` is the real path. */
export function checkOwner(gitPath: string, environment: NodeJS.ProcessEnv = process.env): void {
  const me = geteuid?.()
  const owner = statSync(gitPath).uid
  if (me === undefined || owner === me || (me === 0 && owner === Number(environment.SUDO_UID))) return
  if (isDeclaredSafe(gitPath, environment)) return
  throw new HoldfastError('AccessDenied', {
    message:
      `detected dubious ownership in repository at '${gitPath}': it belongs to another user. ` +
      `To serve it all the same, call: git config --global --add safe.directory '${gitPath}'`,
  })
}

/** By the machine's and the user's configuration alone. An empty value forgets the ones before it. */
function isDeclaredSafe(gitPath: string, environment: NodeJS.ProcessEnv): boolean {
  const values = readOuterConfig(environment)
    .all('safe.directory')
    .map((value = '') => Buffer.from(value, 'latin1').toString())
  const counted = values.slice(values.lastIndexOf('') + 1)
  // The work tree of a repository is named without its `.git`.
  const names = new Set(['*', gitPath, gitPath.replace(/\/\.git$/, '')])
  return counted.some((value) => names.has(value.replace(/(.)\/$/, '$1')))
}
