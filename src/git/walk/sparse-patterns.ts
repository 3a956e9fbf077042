/** Patterns of a sparse checkout (gitignore(5), git-sparse-checkout(1)) as the filter `sparse:oid` reads them out of a blob. */
import { Glob, type GlobElement } from './glob.ts'

interface Pattern {
  isNegative: boolean
  isForFolders: boolean
  /** Without a slash: for the last component of a path alone. */
  isForNames: boolean
  glob: Glob
}

const slash = 0x2f

export class SparsePatterns {
  readonly text: string
  readonly #patterns: readonly Pattern[]

  /** `text` in latin1, so that names keep their bytes. */
  constructor(text: string) {
    this.text = text
    const lines = text.replace(/^\u00ef\u00bb\u00bf/, '').split('\n')
    const patterns = lines.map((line) => line.replace(/\r$/, '')).filter((line) => line !== '' && !line.startsWith('#'))
    // The last pattern that matches decides.
    this.#patterns = patterns.map(parsePattern).reverse()
  }

  /** Whether `path` is wanted; undefined where no pattern says, and what holds for the folder around it holds. */
  decide(path: string, isFolder: boolean): boolean | undefined {
    const name = path.slice(path.lastIndexOf('/') + 1)
    for (const { isNegative, isForFolders, isForNames, glob } of this.#patterns) {
      if (isForFolders && !isFolder) continue
      if (isForNames ? glob.matches(name) : path !== '' && glob.matches(path)) return !isNegative
    }
    return undefined
  }
}

function parsePattern(line: string): Pattern {
  let text = withoutTrailingSpaces(line)
  const isNegative = text.startsWith('!')
  if (isNegative) text = text.slice(1)
  const isForFolders = text.endsWith('/')
  if (isForFolders) text = text.slice(0, -1)
  const isForNames = !text.includes('/')
  // Any folders and again any folders are any folders: each more would be another place for every byte of a path.
  text = text.replace(/(^|\/)(?:\*{2,}\/)+/g, '$1**/')
  const glob = new Glob(parseElements(text.startsWith('/') ? text.slice(1) : text))
  return { isNegative, isForFolders, isForNames, glob }
}

/** An escaped space stays, and with it, as in git, no other is left behind it. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length
  while (line[end - 1] === ' ' && line[end - 2] !== '\\') end--
  return line.slice(0, end)
}

function parseElements(text: string): GlobElement[] {
  const elements: GlobElement[] = []
  // git matches what stands before it by itself, so that to `**` a literal beginning is like a slash.
  const firstSpecial = text.search(/[*?[\\]/)
  for (let at = 0; at < text.length; ) {
    if (text[at] === '*') {
      const start = at
      while (text[at] === '*') at++
      const isBoundBefore = start === firstSpecial || text[start - 1] === '/'
      const isBound = isBoundBefore && (at === text.length || text[at] === '/')
      const crossesSlashes = at - start > 1 && isBound
      elements.push({ kind: 'star', crossesSlashes, skipsSlash: crossesSlashes && text[at] === '/' })
    } else if (text[at] === '?') {
      elements.push({ kind: 'set', has: (byte) => byte !== slash })
      at++
    } else if (text[at] === '[') {
      const set = parseSet(text, at)
      // An open bracket that nothing closes matches nothing.
      elements.push({ kind: 'set', has: set?.has ?? (() => false) })
      at = set?.end ?? text.length
    } else {
      if (text[at] === '\\' && at + 1 < text.length) at++
      elements.push({ kind: 'byte', byte: text.charCodeAt(at++) })
    }
  }
  return elements
}

/** A bracket expression at `at`, with ranges, `[:classes:]` and negation; undefined where it has no end. */
function parseSet(text: string, at: number): { has: (byte: number) => boolean; end: number } | undefined {
  const bytes = new Set<number>()
  let next = at + 1
  const isNegated = text[next] === '!' || text[next] === '^'
  if (isNegated) next++
  for (let first = true; first || text[next] !== ']'; first = false) {
    if (next >= text.length) return undefined
    const name = /^\[:([a-z]*):\]/.exec(text.slice(next, next + 16))?.[1]
    if (name !== undefined) {
      addClass(bytes, name)
      next += name.length + 4
      continue
    }
    const low = readByte(text, next)
    next = low.end
    if (text[next] === '-' && next + 1 < text.length && text[next + 1] !== ']') {
      const high = readByte(text, next + 1)
      next = high.end
      for (let byte = low.byte; byte <= high.byte; byte++) bytes.add(byte)
    } else bytes.add(low.byte)
  }
  return { has: (byte) => byte !== slash && bytes.has(byte) !== isNegated, end: next + 1 }
}

function readByte(text: string, at: number): { byte: number; end: number } {
  const from = text[at] === '\\' && at + 1 < text.length ? at + 1 : at
  return { byte: text.charCodeAt(from), end: from + 1 }
}

const classes: Record<string, RegExp> = {
  alnum: /[a-zA-Z0-9]/,
  alpha: /[a-zA-Z]/,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9a-fA-F]/,
}

function addClass(bytes: Set<number>, name: string): void {
  const pattern = classes[name]
  for (let byte = 0; byte < 128; byte++) if (pattern?.test(String.fromCharCode(byte))) bytes.add(byte)
}
