/** A ref's name may not be a folder of another's: `a` and `a/b` cannot both exist, since refs are files. */
import { HoldfastError } from '../errors.ts'
import type { RefStore } from './ref-store.ts'

/** Throws Conflict, in git's words, where one of `created` cannot stand beside what exists or what else is touched. */
export function checkNames(store: RefStore, created: readonly string[], touched: readonly string[]): void {
  const together = new Set(touched)
  const folders = new Map(touched.flatMap((name) => foldersOf(name).map((folder) => [folder, name])))
  for (const name of created) {
    for (const folder of foldersOf(name)) {
      if (store.value(folder) !== undefined) throw taken(name, `'${folder}' exists; cannot create '${name}'`)
      if (together.has(folder)) throw taken(name, `cannot process '${folder}' and '${name}' at the same time`)
    }
    const below = store.refBelow(name)
    if (below !== undefined) throw taken(name, `'${below}' exists; cannot create '${name}'`)
    const other = folders.get(name)
    if (other !== undefined) throw taken(name, `cannot process '${name}' and '${other}' at the same time`)
  }
}

/** The names above it, from `refs/x` on: `refs/heads`, `refs/heads/a` for `refs/heads/a/b`. */
function foldersOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'))
}

function taken(name: string, why: string): HoldfastError {
  const text = (latin1: string) => Buffer.from(latin1, 'latin1').toString()
  return new HoldfastError('Conflict', { message: `cannot lock ref '${text(name)}': ${text(why)}` })
}
