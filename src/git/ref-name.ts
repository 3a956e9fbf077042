/** What may be a ref's name: the rules of git-check-ref-format, on names held as latin1 (one character per byte). */

// In the order of the manual page: control characters and space, ~ ^ : ? * [ \, "..", "@{", empty components and slashes
// at the ends, a dot at the end, components that begin with a dot or end in ".lock".
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule forbids.
const forbidden = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|^\/|\/$|\/\/|\.$|(^|\/)\.|\.lock(\/|$)/

/** True for a well-formed name of at least two components, such as `heads/main` or `refs/heads/main`. */
export function isRefName(name: string): boolean {
  return name.includes('/') && isOneLevelRefName(name)
}

/** As `isRefName`, one component being enough (`--allow-onelevel`). */
export function isOneLevelRefName(name: string): boolean {
  return name !== '' && name !== '@' && !forbidden.test(name)
}

/** True for names that a push may create or move: `refs/<kind>/<name>`, as git's receive-pack demands. */
export function isPushableRefName(name: string): boolean {
  return name.startsWith('refs/') && isRefName(name.slice('refs/'.length))
}

/** True for names that a push may delete: also those that could not be created, directly under `refs/`. */
export function isDeletableRefName(name: string): boolean {
  return name.startsWith('refs/') && isOneLevelRefName(name.slice('refs/'.length))
}
