/** Patterns of ref names, as rules have them: full names in which `*` stands for any characters, slashes among them. */

/** True where the pattern names `name`. */
export function matchesPattern(pattern: string, name: string): boolean {
  return patternMatcher(pattern)(name)
}

/** For many names: tells whether the pattern names one, in time that grows with their lengths only. */
export function patternMatcher(pattern: string): (name: string) => boolean {
  const [start, ...pieces] = pattern.split('*')
  const end = pieces.pop()
  if (end === undefined) return (name) => name === pattern
  if (pieces.length === 0 && end === '') return (name) => name.startsWith(start)
  return (name) => {
    if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false
    let at = start.length
    for (const piece of pieces) {
      const found = name.indexOf(piece, at)
      if (found < 0) return false
      at = found + piece.length
    }
    return at <= name.length - end.length
  }
}
