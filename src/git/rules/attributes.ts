/**
 * `.gitattributes` (gitattributes(5)) as far as one attribute goes: `filter`, by which paths are told that belong into LFS.
 * Macros count, and `binary`, which every Git knows, has no filter. Paths and texts are latin1, as git's bytes are.
 */
import { SparsePatterns } from '../walk/sparse-patterns.ts'
import type { FolderRules } from './folder-rules.ts'

/** `filter=lfs`; true for `filter`, false for `-filter`. */
export type FilterState = string | boolean

interface Assignment {
  name: string
  /** Undefined for `!name`: as if nothing had been said. */
  state: FilterState | undefined
}

interface Line {
  pattern: SparsePatterns
  assignments: readonly Assignment[]
}

// git reads no further.
const lineMaxBytes = 2_048

export class Attributes {
  /** The last that matches decides, so they are held from the last to the first. */
  readonly lines: readonly Line[]
  readonly macros: ReadonlyMap<string, readonly Assignment[]>

  constructor(text: string) {
    const lines: Line[] = []
    const macros = new Map<string, readonly Assignment[]>()
    for (const line of text.replace(/^\u00ef\u00bb\u00bf/, '').split('\n')) {
      const parsed = line.length < lineMaxBytes ? parseLine(line) : undefined
      if (parsed === undefined) continue
      const { name, isMacro, assignments } = parsed
      if (isMacro) macros.set(name, assignments)
      else if (!name.startsWith('!')) lines.push({ pattern: new SparsePatterns(name), assignments })
    }
    this.lines = lines.reverse()
    this.macros = macros
  }
}

/**
 * What the rules of the folders around `path`, from the root down, say of its filter; undefined: nothing. Macros are
 * those of the root folder.
 */
export function findFilter(folders: readonly FolderRules<Attributes>[], path: string): FilterState | undefined {
  const macros = folders.find(({ folder }) => folder === '')?.rules.macros ?? new Map()
  const search: Search = { macros, decided: new Map() }
  for (const { folder, rules } of folders.toReversed()) {
    const inside = path.slice(folder.length)
    for (const { pattern, assignments } of rules.lines) {
      if (pattern.decide(inside, false) !== true) continue
      assign(search, assignments)
      if (search.decided.has('filter')) return search.decided.get('filter')
    }
  }
  return undefined
}

interface Search {
  macros: ReadonlyMap<string, readonly Assignment[]>
  /** What stands for each attribute: what comes first in the search. */
  decided: Map<string, FilterState | undefined>
}

function assign(search: Search, assignments: readonly Assignment[]): void {
  for (const { name, state } of assignments.toReversed()) {
    if (search.decided.has(name)) continue
    const macro = search.macros.get(name)
    // Others than the filter matter where they are macros.
    if (name !== 'filter' && macro === undefined) continue
    search.decided.set(name, state)
    if (macro !== undefined && state === true) assign(search, macro)
  }
}

const macroMark = '[attr]'

function parseLine(line: string): { name: string; isMacro: boolean; assignments: Assignment[] } | undefined {
  const text = line.replace(/^[ \t\r]+/, '')
  if (text === '' || text.startsWith('#')) return undefined
  const { name, rest } = splitName(text)
  const assignments = rest.split(/[ \t\r]+/).flatMap((word) => (word === '' ? [] : [parseAssignment(word)]))
  if (!name.startsWith(macroMark)) return { name, isMacro: false, assignments }
  // `[attr]name` may stand in one word or two.
  const macro = name === macroMark ? assignments.shift()?.name : name.slice(macroMark.length)
  return macro === undefined ? undefined : { name: macro, isMacro: true, assignments }
}

/** The pattern, which may be quoted as in C. */
function splitName(text: string): { name: string; rest: string } {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text)
  if (quoted !== null) {
    // A space at the end would count for nothing.
    return { name: unquote(quoted[1]).replace(/ $/, '\\ '), rest: text.slice(quoted[0].length) }
  }
  const end = text.search(/[ \t\r]/)
  return end < 0 ? { name: text, rest: '' } : { name: text.slice(0, end), rest: text.slice(end) }
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unquote(text: string): string {
  return text.replace(/\\([0-3][0-7]{2}|.)/g, (_, escaped: string) => {
    if (escaped.length === 3) return String.fromCharCode(Number.parseInt(escaped, 8))
    return escapes[escaped] ?? escaped
  })
}

function parseAssignment(word: string): Assignment {
  if (word.startsWith('-')) return { name: word.slice(1), state: false }
  if (word.startsWith('!')) return { name: word.slice(1), state: undefined }
  const equals = word.indexOf('=')
  return equals < 0 ? { name: word, state: true } : { name: word.slice(0, equals), state: word.slice(equals + 1) }
}
