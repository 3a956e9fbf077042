/**
 * Patterns of a sparse checkout (gitignore(5), git-sparse-checkout(1)) as the filter `sparse:oid` reads them out of a blob.
 *
 * A pattern is matched by carrying all the places in it that the text may have come to, never by going back: whoever can
 * push chooses both, and backtracking over many stars takes exponential time.
 */

/** One element of a pattern: a byte, a set of bytes, or a star of either kind. */
type Element =
  | { kind: 'byte'; byte: number }
  | { kind: 'set'; has: (byte: number) => boolean }
  /** `*`: any bytes but slashes; `**` between slashes: any bytes. `skip` elements behind it may match nothing as well. */
  | { kind: 'star'; crossesSlashes: boolean; skip: number }

interface Pattern {
  isNegative: boolean
  isForFolders: boolean
  /** Without a slash: for the last component of a path alone. */
  isForNames: boolean
  elements: readonly Element[]
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
    for (const { isNegative, isForFolders, isForNames, elements } of this.#patterns) {
      if (isForFolders && !isFolder) continue
      if (isForNames ? matches(elements, name) : path !== '' && matches(elements, path)) return !isNegative
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
  const elements = parseElements(text.startsWith('/') ? text.slice(1) : text)
  return { isNegative, isForFolders, isForNames, elements }
}

/** An escaped space stays, and with it, as in git, no other is left behind it. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length
  while (line[end - 1] === ' ' && line[end - 2] !== '\\') end--
  return line.slice(0, end)
}

function parseElements(text: string): Element[] {
  const elements: Element[] = []
  // git matches what stands before it by itself, so that to `**` a literal beginning is like a slash.
  const firstSpecial = text.search(/[*?[\\]/)
  for (let at = 0; at < text.length; ) {
    if (text[at] === '*') {
      const start = at
      while (text[at] === '*') at++
      const isBoundBefore = start === firstSpecial || text[start - 1] === '/'
      const isBound = isBoundBefore && (at === text.length || text[at] === '/')
      const crossesSlashes = at - start > 1 && isBound
      elements.push({ kind: 'star', crossesSlashes, skip: crossesSlashes && text[at] === '/' ? 1 : 0 })
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

/** True where the elements match the whole text: in time proportional to the product of both lengths at worst. */
function matches(elements: readonly Element[], text: string): boolean {
  let places = new Set<number>()
  enter(elements, 0, places)
  for (let at = 0; at < text.length && places.size > 0; at++) {
    const byte = text.charCodeAt(at)
    const next = new Set<number>()
    for (const place of places) {
      const element = elements[place]
      if (element === undefined) continue
      if (element.kind === 'star') {
        if (!element.crossesSlashes && byte === slash) continue
        next.add(place)
        enter(elements, place + 1, next)
      } else if (element.kind === 'byte' ? element.byte === byte : element.has(byte)) enter(elements, place + 1, next)
    }
    places = next
  }
  return places.has(elements.length)
}

/**
 * Adds a place, and those that stars let it come to without a byte: each once for a byte of the text, whatever led to it.
 * Two stars that are there because they took a slash need not be followed again: the slash behind them took it as well.
 */
function enter(elements: readonly Element[], from: number, places: Set<number>): void {
  if (places.has(from)) return
  const open = [from]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue
    places.add(place)
    const element = elements[place]
    if (element?.kind !== 'star') continue
    open.push(place + 1)
    // `**/` may match nothing, but only where it begins: not once the star has taken bytes.
    if (element.skip > 0) open.push(place + 1 + element.skip)
  }
}
