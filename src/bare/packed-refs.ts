/** The file `packed-refs` (git-pack-refs): one line a ref, and behind an annotated tag a line with what it finally names. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'

export interface PackedRef {
  id: ObjectId
  /** What a tag finally names; undefined for what is no tag, and where the file does not say. */
  peeledId: ObjectId | undefined
}

export interface PackedRefs {
  /** By name, in latin1. */
  refs: ReadonlyMap<string, PackedRef>
  /** All names in byte order. */
  names: readonly string[]
  /** True where a ref without `peeledId` is certainly no tag. */
  isFullyPeeled: boolean
}

const none: PackedRefs = { refs: new Map(), names: [], isFullyPeeled: true }

/** Reads the file, again only after it has changed. */
export function packedRefsReader(commonPath: string): () => PackedRefs {
  const path = join(commonPath, 'packed-refs')
  let read: PackedRefs = none
  let readAt = ''
  return () => {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (status === undefined) return none
    const version = `${status.ino} ${status.size} ${status.mtimeNs}`
    if (version !== readAt) {
      read = parsePackedRefs(readFileSync(path, 'latin1'))
      readAt = version
    }
    return read
  }
}

/** The text of `packed-refs` without some refs; undefined where it has none of them. */
export function withoutPackedRefs(text: string, names: ReadonlySet<string>): string | undefined {
  const kept: string[] = []
  let isDropped = false
  let hasDropped = false
  for (const line of text.split('\n')) {
    if (!line.startsWith('^')) isDropped = names.has(line.slice(41)) && /^[0-9a-f]{40} /.test(line)
    if (isDropped) hasDropped = true
    else kept.push(line)
  }
  return hasDropped ? kept.join('\n') : undefined
}

function parsePackedRefs(text: string): PackedRefs {
  const refs = new Map<string, PackedRef>()
  let isFullyPeeled = false
  let last: PackedRef | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) isFullyPeeled ||= / fully-peeled /.test(`${line} `)
    else if (line.startsWith('^') && last !== undefined) last.peeledId = parseObjectId(line.slice(1))
    else {
      const id = parseObjectId(line.slice(0, 40))
      if (id === undefined || line[40] !== ' ') continue
      last = { id, peeledId: undefined }
      refs.set(line.slice(41), last)
    }
  }
  // Sorted already as git writes it: then this costs a comparison a name.
  return { refs, names: [...refs.keys()].sort(), isFullyPeeled }
}

/** The first name that begins with `prefix`. */
export function findPackedName({ names }: PackedRefs, prefix: string): string | undefined {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (names[middle] < prefix) low = middle + 1
    else high = middle
  }
  return names[low]?.startsWith(prefix) ? names[low] : undefined
}
