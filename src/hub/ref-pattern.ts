/** Patterns of ref names, as rules have them: full names in which `*` stands for any characters, slashes among them. */

/** True where the pattern names `name`; in time that grows with their lengths only. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [start, ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const end = rest.pop() as string
  if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false
  let at = start.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= name.length - end.length
}
