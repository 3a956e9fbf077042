/** The files of single refs (gitrepository-layout, "refs"). Names are latin1; files are opened by their bytes. */
import { readdirSync, readFileSync } from 'node:fs'

/** The path of `name` under `folder`, as bytes: names need not be UTF-8. */
export function refPath(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')])
}

/** What a symbolic ref names; undefined for a ref to an object. */
export function symrefTarget(value: string): string | undefined {
  return /^ref:\s*(\S.*)$/.exec(value)?.[1]
}

/** What the ref's file holds; undefined where there is none. */
export function readLooseRef(folder: string, name: string): string | undefined {
  return readIfFile(refPath(folder, name))?.trim()
}

/** Every ref below `name` that has a file, in no order. */
export function* listLooseRefs(folder: string, name: string): Iterable<[string, string]> {
  for (const entry of readFolder(refPath(folder, name))) {
    const child = `${name}/${entry.name.toString('latin1')}`
    if (entry.isDirectory()) yield* listLooseRefs(folder, child)
    else if (!child.endsWith('.lock')) {
      // What was listed may have been packed or deleted since: packed-refs is read afterwards.
      const value = readLooseRef(folder, child)
      if (value !== undefined && value !== '') yield [child, value]
    }
  }
}

function readFolder(path: Buffer) {
  try {
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}

function readIfFile(path: Buffer): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isAbsence(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
    throw error
  }
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
