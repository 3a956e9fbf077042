/** The refs of a repository on disk, as values: a ref's own file before its line in packed-refs, symbolic refs followed. */
import { join } from 'node:path'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import { findPackedName, type PackedRefs, packedRefsReader } from './packed-refs.ts'
import { listLooseRefs, readLooseRef, symrefTarget } from './ref-files.ts'

// Git's SYMREF_MAXDEPTH: so many refs are read, the last of which must name an object.
const symrefDepthMax = 5

/** Where a ref's name finally leads: to another name where it is symbolic. `id` is undefined where nothing is there yet. */
export interface ResolvedRef {
  name: string
  id: ObjectId | undefined
}

/** As `RefStore.resolve`, with refs read by `read`. */
export function followSymrefs(name: string, read: (name: string) => string | undefined): ResolvedRef | undefined {
  let at = name
  for (let depth = 0; depth < symrefDepthMax; depth++) {
    const value = read(at)
    if (value === undefined) return { name: at, id: undefined }
    const target = symrefTarget(value)
    if (target === undefined) return { name: at, id: parseObjectId(value.slice(0, 40)) }
    if (!target.startsWith('refs/')) return undefined
    at = target
  }
  return undefined
}

export class RefStore {
  /** Holds HEAD; the same as `commonPath` but for linked worktrees. */
  readonly gitPath: string
  readonly commonPath: string
  readonly packed: () => PackedRefs

  constructor(gitPath: string, commonPath: string) {
    this.gitPath = gitPath
    this.commonPath = commonPath
    this.packed = packedRefsReader(commonPath)
  }

  /** What the ref holds: an id, or `ref: <name>`; undefined where it does not exist. */
  value(name: string): string | undefined {
    const folder = name.startsWith('refs/') ? this.commonPath : this.gitPath
    // In this order: a ref that is packed meanwhile is found in the file that is read later.
    return readLooseRef(folder, name) ?? this.packed().refs.get(name)?.id
  }

  /** Undefined where symbolic refs lead nowhere: in circles, or to no ref's name. */
  resolve(name: string): ResolvedRef | undefined {
    return followSymrefs(name, (at) => this.value(at))
  }

  /** What every ref under `refs/` holds, by name, in no order. */
  values(): Map<string, string> {
    const loose = [...listLooseRefs(this.commonPath, 'refs')]
    const values = new Map<string, string>()
    for (const [name, { id }] of this.packed().refs) values.set(name, id)
    for (const [name, value] of loose) values.set(name, value)
    return values
  }

  /** The ref that HEAD names; undefined where HEAD is detached. */
  headTarget(): string | undefined {
    const value = this.value('HEAD')
    return value === undefined ? undefined : symrefTarget(value)
  }

  /** Some ref below the folder `name`; undefined where there is none. */
  refBelow(name: string): string | undefined {
    for (const [found] of listLooseRefs(this.commonPath, name)) return found
    return findPackedName(this.packed(), `${name}/`)
  }

  packedRefsPath(): string {
    return join(this.commonPath, 'packed-refs')
  }
}
