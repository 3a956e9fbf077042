/** Searching and changing refs that stand in byte order of their names, which are latin1, so that JavaScript compares them as bytes. */
import type { Ref } from './repository.ts'

/** The first index whose name is not below `name`; the length where all are below. */
export function findRefIndex(refs: readonly Ref[], name: string): number {
  let low = 0
  let high = refs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (refs[middle].name < name) low = middle + 1
    else high = middle
  }
  return low
}

/** The ref of exactly that name. */
export function findRef(refs: readonly Ref[], name: string): Ref | undefined {
  const ref = refs[findRefIndex(refs, name)]
  return ref?.name === name ? ref : undefined
}

/** The refs whose names begin with one of `prefixes`, in order, each once; in time that does not grow with all others. */
export function* refsWithPrefixes(refs: readonly Ref[], prefixes: readonly string[]): Iterable<Ref> {
  let covered: string | undefined
  for (const prefix of [...prefixes].sort()) {
    if (covered !== undefined && prefix.startsWith(covered)) continue
    covered = prefix
    for (let at = findRefIndex(refs, prefix); refs[at]?.name.startsWith(prefix); at++) yield refs[at]
  }
}

/** What a ref of that name is now; undefined: gone. */
export interface RefChange {
  name: string
  ref: Ref | undefined
}

/** `refs` after `changes`, which name each ref once and are in order as well. */
export function changeRefs(refs: readonly Ref[], changes: readonly RefChange[]): Ref[] {
  const parts: (readonly Ref[])[] = []
  let from = 0
  for (const { name, ref } of changes) {
    const at = findRefIndex(refs, name)
    parts.push(refs.slice(from, at), ref === undefined ? [] : [ref])
    from = refs[at]?.name === name ? at + 1 : at
  }
  return parts.concat([refs.slice(from)]).flat()
}
