/** The refs of a repository on disk as the engine sees them: what each finally names, and HEAD. */
import { HoldfastError } from '../errors.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import { RefList } from '../git/ref-list.ts'
import { locateId, type ObjectDatabase, type Ref, type RefSnapshot } from '../git/repository.ts'
import { peel } from '../git/walk/commit-graph.ts'
import { symrefTarget } from './ref-files.ts'
import { followSymrefs, type RefStore } from './ref-store.ts'

/** Refs read from disk, before anything is known of the objects they name. */
export interface RawRefs {
  head: string | undefined
  /** Ids by name in byte order, symbolic refs followed. */
  ids: readonly (readonly [string, ObjectId])[]
}

/** Everything under `refs/`. A symbolic ref to a branch that is not born yet stands for nothing, as for git. */
export function readRawRefs(store: RefStore): RawRefs {
  const values = store.values()
  const ids: [string, ObjectId][] = []
  for (const name of [...values.keys()].sort()) {
    const id = followSymrefs(name, (at) => values.get(at))?.id
    if (id !== undefined) ids.push([name, id])
  }
  return { head: store.value('HEAD'), ids }
}

/** With what tags finally name. A ref to a missing object is left out, as git does, or throws ObjectMissing if `isStrict`. */
export function readBareRefs(store: RefStore, raw: RawRefs, objects: ObjectDatabase, isStrict: boolean): RefSnapshot {
  const packed = store.packed()
  const refs: Ref[] = []
  for (const [name, id] of raw.ids) {
    const ordinal = locateId(objects, id)
    if (ordinal < 0) {
      if (!isStrict) continue
      throw new HoldfastError('ObjectMissing', { message: `${name} points to ${id}, which is missing.` })
    }
    const known = packed.refs.get(name)
    const isKnown = known?.id === id && (packed.isFullyPeeled || known.peeledId !== undefined)
    // Branches name commits. To ask a pack would cost its first reader the order of all its entries.
    const isCommit = name.startsWith('refs/heads/')
    refs.push({ name, id, peeledId: isKnown ? known.peeledId : isCommit ? undefined : peelRef(objects, ordinal) })
  }
  const headTarget = raw.head === undefined ? undefined : symrefTarget(raw.head)
  const headId = headTarget === undefined ? parseObjectId(raw.head?.slice(0, 40) ?? '') : findId(refs, headTarget)
  return { headTarget, headId, refs: RefList.of(refs) }
}

function findId(refs: readonly Ref[], name: string): ObjectId | undefined {
  return refs.find((ref) => ref.name === name)?.id
}

function peelRef(objects: ObjectDatabase, ordinal: number): ObjectId | undefined {
  const target = peel(objects, ordinal)
  return target === ordinal ? undefined : objects.idOf(target)
}
