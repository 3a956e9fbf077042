/**
 * The syntax of git's configuration files (git-config, "Syntax"), read as git's config.c reads it: character by character,
 * since quotes, escapes, comments and continued lines may stand anywhere in a value. Text is latin1, one character a byte.
 */
import { HoldfastError } from '../errors.ts'

/** `section.name` or `section.subsection.name`; section and name in lower case. Without `=` there is no value, which means true. */
export interface ConfigEntry {
  key: string
  value: string | undefined
}

/** All entries in order. Throws InputInvalid, naming line and `file`, as git does. */
export function parseConfigFile(text: string, file: string): ConfigEntry[] {
  return [...readConfigEntries(text, file)]
}

/** As `parseConfigFile`, with what stands before the fault. */
export function readConfigEntries(text: string, file: string): Generator<ConfigEntry> {
  return new ConfigParser(text, file).entries()
}

const byteOrderMark = '\u00ef\u00bb\u00bf'
const escapes: Record<string, string> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' }
const isSpace = (char: string) => char === ' ' || char === '\t' || char === '\r' || char === '\n'
const isKeyChar = (char: string) => /^[A-Za-z0-9-]$/.test(char)

class ConfigParser {
  readonly #text: string
  readonly #file: string
  #at: number
  #line = 1
  #isAtEnd = false

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
    this.#at = text.startsWith(byteOrderMark) ? byteOrderMark.length : 0
  }

  *entries(): Generator<ConfigEntry> {
    let section = ''
    while (!this.#isAtEnd) {
      const char = this.#next()
      if (isSpace(char)) continue
      if (char === '#' || char === ';') this.#skipLine()
      else if (char === '[') section = this.#readSection()
      else if (/^[A-Za-z]$/.test(char)) yield this.#readEntry(section, char)
      else throw this.#fault()
    }
  }

  /** The next character; a line feed for CR LF, and one more at the end of the file. */
  #next(): string {
    let char = this.#text[this.#at++]
    if (char === '\r' && this.#text[this.#at] === '\n') char = this.#text[this.#at++]
    if (char === undefined) this.#isAtEnd = true
    if (char === undefined || char === '\n') this.#line++
    return char ?? '\n'
  }

  #skipLine(): void {
    while (this.#next() !== '\n');
  }

  #readSection(): string {
    let name = ''
    for (;;) {
      const char = this.#next()
      if (this.#isAtEnd || (char === ']' && name === '')) throw this.#fault()
      if (char === ']') return `${name}.`
      if (isSpace(char)) return `${name}.${this.#readSubsection(char)}.`
      if (!isKeyChar(char) && char !== '.') throw this.#fault()
      name += char.toLowerCase()
    }
  }

  #readSubsection(first: string): string {
    let char = first
    while (isSpace(char)) {
      if (char === '\n') throw this.#fault(-1)
      char = this.#next()
    }
    if (char !== '"') throw this.#fault()
    let name = ''
    for (char = this.#next(); char !== '"'; char = this.#next()) {
      if (char === '\\') char = this.#next()
      if (char === '\n') throw this.#fault(-1)
      name += char
    }
    if (this.#next() !== ']') throw this.#fault()
    return name
  }

  #readEntry(section: string, first: string): ConfigEntry {
    let name = first
    let char = this.#next()
    for (; !this.#isAtEnd && isKeyChar(char); char = this.#next()) name += char
    while (char === ' ' || char === '\t') char = this.#next()
    const key = section + name.toLowerCase()
    if (char === '\n') return { key, value: undefined }
    if (char !== '=') throw this.#fault()
    return { key, value: this.#readValue() }
  }

  /** White space at both ends falls away, what stands between words counts. */
  #readValue(): string {
    let value = ''
    let spaces = 0
    let isQuoted = false
    for (;;) {
      const char = this.#next()
      if (char === '\n') {
        if (isQuoted) throw this.#fault(-1)
        return value
      }
      if (isSpace(char) && !isQuoted) {
        if (value !== '') spaces++
        continue
      }
      if (!isQuoted && (char === ';' || char === '#')) {
        this.#skipLine()
        return value
      }
      value += ' '.repeat(spaces)
      spaces = 0
      if (char === '\\') value += this.#readEscape()
      else if (char === '"') isQuoted = !isQuoted
      else value += char
    }
  }

  #readEscape(): string {
    const char = this.#next()
    if (char === '\n') return ''
    const meant = escapes[char]
    if (meant === undefined) throw this.#fault()
    return meant
  }

  /** `lines` corrects for a line feed that was read. */
  #fault(lines = 0): HoldfastError {
    const message = `bad config line ${this.#line + lines} in file ${this.#file}`
    return new HoldfastError('InputInvalid', { message })
  }
}
