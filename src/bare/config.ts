/**
 * Git's configuration as one of its programs would see it in a repository: the machine's, the user's, the repository's,
 * files that these include; the last value of a key wins.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, matchesGlob, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { type ConfigEntry, parseConfigFile } from '../git/config-file.ts'

const includeDepthMax = 10

/** Keys are `section.name` or `section.subsection.name`, section and name in lower case. Texts are latin1. */
export class GitConfig {
  readonly #entries: readonly ConfigEntry[]
  readonly #values = new Map<string, (string | undefined)[]>()

  constructor(entries: readonly ConfigEntry[]) {
    this.#entries = entries
    for (const { key, value } of entries) {
      const values = this.#values.get(key)
      if (values === undefined) this.#values.set(key, [value])
      else values.push(value)
    }
  }

  /** Every value of a key, in order; undefined for one without `=`. */
  all(key: string): readonly (string | undefined)[] {
    return this.#values.get(key) ?? []
  }

  /** The values of several keys, as they stand. Throws InputInvalid where one lacks its value. */
  inOrder(keys: readonly string[]): string[] {
    return this.#entries
      .filter(({ key }) => keys.includes(key))
      .map(({ key, value }) => {
        if (value === undefined) throw invalid(`missing value for '${key}'`)
        return value
      })
  }

  /** The last values of all keys that begin so, by the rest of the key, without some. Throws InputInvalid as `text`. */
  below(prefix: string, without: readonly string[]): Record<string, string> {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix))
    const found = keys.map((key) => [key.slice(prefix.length), this.text(key) ?? ''] as const)
    return Object.fromEntries(found.filter(([rest]) => !without.includes(rest)))
  }

  /** Throws InputInvalid where the key stands without a value. */
  text(key: string): string | undefined {
    const values = this.#values.get(key)
    if (values === undefined) return undefined
    const value = values.at(-1)
    if (value === undefined) throw invalid(`missing value for '${key}'`)
    return value
  }

  /**
   * A file or folder, `~/` being the user's home. Throws InputInvalid as `text`, and for other homes and bytes, which are
   * not known here: a hook that is not found would count as passed.
   */
  path(key: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
    const value = this.text(key)
    if (value === undefined) return undefined
    const path = pathOf(value, environment)
    if (!isUtf8(Buffer.from(value, 'latin1'))) throw invalid(`not a path in UTF-8: '${path}'`)
    if (/^(~|%\(prefix\)\/)/.test(path)) throw invalid(`failed to expand user dir in: '${path}'`)
    return path
  }

  /** Throws InputInvalid for what git does not take for a boolean. */
  boolean(key: string): boolean | undefined {
    const values = this.#values.get(key)
    if (values === undefined) return undefined
    const value = values.at(-1)
    const meant = value === undefined ? true : parseBoolean(value)
    if (meant === undefined) throw invalid(`bad boolean config value '${value}' for '${key}'`)
    return meant
  }

  /** Throws InputInvalid for what git does not take for a number. */
  integer(key: string): number | undefined {
    const value = this.text(key)
    if (value === undefined) return undefined
    const meant = parseInteger(value)
    if (meant === undefined) throw invalid(`bad numeric config value '${value}' for '${key}': invalid unit`)
    return meant
  }
}

/** Undefined for what is no boolean. */
export function parseBoolean(value: string): boolean | undefined {
  if (/^(true|yes|on)$/i.test(value)) return true
  if (/^(false|no|off|)$/i.test(value)) return false
  const number = parseInteger(value)
  return number === undefined ? undefined : number !== 0
}

const units: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Decimal, hexadecimal or octal, with the unit k, m or g. Undefined for what is no number. */
export function parseInteger(value: string): number | undefined {
  const found = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)([kmg]?)$/i.exec(value)
  if (found === null) return undefined
  const digits = /^0[0-7]+$/.test(found[2]) ? `0o${found[2].slice(1)}` : found[2]
  const number = Number(digits) * units[found[3].toLowerCase()]
  return found[1] === '-' ? -number : number
}

/** The configuration that holds in the repository whose `config` lies in `gitPath`. Throws InputInvalid for a malformed file. */
export function readGitConfig(gitPath: string, environment: NodeJS.ProcessEnv = process.env): GitConfig {
  const files = [...outerFiles(environment), join(gitPath, 'config')]
  const entries = files.flatMap((file) => readEntries(file, gitPath, environment, 0))
  const isPerWorktree = new GitConfig(entries).boolean('extensions.worktreeconfig') === true
  const own = isPerWorktree ? readEntries(join(gitPath, 'config.worktree'), gitPath, environment, 0) : []
  return new GitConfig([...entries, ...own])
}

/** What does not come from the repository itself. Throws InputInvalid for a malformed file. */
export function readOuterConfig(environment: NodeJS.ProcessEnv): GitConfig {
  // No repository: conditions on where it lies do not hold.
  return new GitConfig(outerFiles(environment).flatMap((file) => readEntries(file, '/', environment, 0)))
}

/** Where git looks before it looks into the repository. */
function outerFiles(environment: NodeJS.ProcessEnv): string[] {
  const { GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL, XDG_CONFIG_HOME } = environment
  const system = parseBoolean(GIT_CONFIG_NOSYSTEM ?? '') === true ? [] : [GIT_CONFIG_SYSTEM ?? '/etc/gitconfig']
  if (GIT_CONFIG_GLOBAL !== undefined) return [...system, GIT_CONFIG_GLOBAL]
  const home = environment.HOME
  const outer = XDG_CONFIG_HOME || (home === undefined ? undefined : join(home, '.config'))
  return [
    ...system,
    ...(outer === undefined ? [] : [join(outer, 'git', 'config')]),
    ...(home === undefined ? [] : [join(home, '.gitconfig')]),
  ]
}

function readEntries(file: string, gitPath: string, environment: NodeJS.ProcessEnv, depth: number): ConfigEntry[] {
  const text = readIfThere(file)
  if (text === undefined) return []
  if (depth > includeDepthMax) throw invalid(`exceeded maximum include depth (${includeDepthMax}) at ${file}`)
  return parseConfigFile(text, file).flatMap((entry) => {
    if (entry.value === undefined || !isIncluded(entry.key, file, gitPath, environment)) return [entry]
    const path = inFolderOf(file, pathOf(entry.value, environment))
    return [entry, ...readEntries(path, gitPath, environment, depth + 1)]
  })
}

/** True for `include.path`, and for `includeIf.gitdir:….path` where that is this repository. Other conditions never hold. */
function isIncluded(key: string, file: string, gitPath: string, environment: NodeJS.ProcessEnv): boolean {
  if (key === 'include.path') return true
  const [, isCaseless, pattern] = /^includeif\.gitdir(\/i)?:(.*)\.path$/s.exec(key) ?? []
  if (pattern === undefined) return false
  const expanded = pathOf(pattern, environment)
  const anchored = expanded.startsWith('./') ? join(dirname(file), expanded) : expanded
  const rooted = anchored.startsWith('/') ? anchored : `**/${anchored}`
  const glob = rooted.endsWith('/') ? `${rooted}**` : rooted
  const fold = (text: string) => (isCaseless === undefined ? text : text.toLowerCase())
  return matchesGlob(fold(resolve(gitPath)), fold(glob))
}

function pathOf(value: string, environment: NodeJS.ProcessEnv): string {
  const path = Buffer.from(value, 'latin1').toString()
  return path.startsWith('~/') ? join(environment.HOME ?? homedir(), path.slice(2)) : path
}

function inFolderOf(file: string, path: string): string {
  return resolve(dirname(file), path)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A home that this user may not enter holds nothing for it.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
