/** A repository's objects as plain arrays, and what rev-list would say of them, written as simply as can be. */
import { commitIds, committerSeconds } from '../../src/git/commit.ts'
import { idBytes } from '../../src/git/object-id.ts'
import { locateId, type ObjectDatabase, type ObjectType, type Ordinal } from '../../src/git/repository.ts'
import { parseTag } from '../../src/git/tag.ts'
import { isDirectory, isGitlink, parseTree } from '../../src/git/tree.ts'
import type { ObjectFilter } from '../../src/git/walk/object-filter.ts'

export interface ModelObject {
  type: ObjectType
  sizeBytes: number
  dateSeconds: number
  parents: Ordinal[]
  /** A commit's tree, a tag's target. */
  target: Ordinal
  entries: { name: string; isTree: boolean; ordinal: Ordinal }[]
}

export function readModel(objects: ObjectDatabase): ModelObject[] {
  return Array.from({ length: objects.ordinalCount }, (_, ordinal) => {
    const { type, data } = objects.read(ordinal)
    const object: ModelObject = {
      type,
      sizeBytes: data.length,
      dateSeconds: 0,
      parents: [],
      target: -1,
      entries: [],
    }
    if (type === 'tag') object.target = locateId(objects, parseTag(data).objectId)
    if (type === 'commit') {
      const ids = commitIds(data)
      object.target = objects.locate(ids, 0)
      object.dateSeconds = committerSeconds(data)
      for (let at = idBytes; at < ids.length; at += idBytes) object.parents.push(objects.locate(ids, at))
    }
    if (type === 'tree') {
      const entries = parseTree(data).filter(({ mode }) => !isGitlink(mode))
      object.entries = entries.map(({ name, mode, id }) => {
        return { name, isTree: isDirectory(mode), ordinal: locateId(objects, id) }
      })
    }
    return object
  })
}

/** What `starts` lead to, themselves included. Commits in `cut` have no parents. */
export function closure(model: ModelObject[], starts: Iterable<Ordinal>, cut: ReadonlySet<Ordinal>): Set<Ordinal> {
  const reached = new Set(starts)
  for (const ordinal of reached) {
    const { type, parents, target, entries } = model[ordinal]
    if (target >= 0) reached.add(target)
    if (type === 'commit' && !cut.has(ordinal)) for (const parent of parents) reached.add(parent)
    for (const entry of entries) reached.add(entry.ordinal)
  }
  return reached
}

/** Of what `wants` lead to beyond `held`, what the filter lets through; the wants themselves whatever it says. */
export function filtered(
  model: ModelObject[],
  wants: readonly Ordinal[],
  { held, cut, filter }: { held: ReadonlySet<Ordinal>; cut: ReadonlySet<Ordinal>; filter: ObjectFilter },
): Set<Ordinal> {
  const shown = new Set<Ordinal>()
  const show = (ordinal: Ordinal) => {
    if (!held.has(ordinal) && filter.types.has(model[ordinal].type)) shown.add(ordinal)
  }
  const isBlobShown = (blob: Ordinal, path: string, wanted: readonly boolean[]) =>
    model[blob].sizeBytes < filter.blobMaxBytes &&
    filter.sparse.every((patterns, n) => patterns.decide(path, false) ?? wanted[n])
  const walk = (tree: Ordinal, place: { depth: number; prefix: string; wanted: readonly boolean[] }) => {
    const { depth, prefix, wanted } = place
    if (depth >= filter.treeDepth) return
    for (const { name, isTree, ordinal } of model[tree].entries) {
      const path = prefix + name
      if (!isTree && isBlobShown(ordinal, path, wanted)) show(ordinal)
      if (!isTree) continue
      show(ordinal)
      const below = filter.sparse.map((patterns, n) => patterns.decide(path, true) ?? wanted[n])
      walk(ordinal, { depth: depth + 1, prefix: `${path}/`, wanted: below })
    }
  }
  const given = new Set<Ordinal>()
  for (const want of wants) {
    for (let each = want; each >= 0; each = model[each].type === 'tag' ? model[each].target : -1) given.add(each)
  }
  const commits = closure(model, given, cut)
  for (const commit of commits) {
    if (model[commit].type !== 'commit' || held.has(commit)) continue
    // Reached by history alone: what a tree of a commit lists is no commit.
    show(commit)
    const tree = model[commit].target
    if (filter.treeDepth > 0) show(tree)
    const wanted = filter.sparse.map((patterns) => patterns.decide('', true) ?? false)
    walk(tree, { depth: 1, prefix: '', wanted })
  }
  for (const ordinal of given) {
    if (model[ordinal].type === 'tree') walk(ordinal, { depth: 0, prefix: '', wanted: filter.sparse.map(() => false) })
    if (!held.has(ordinal)) shown.add(ordinal)
  }
  return shown
}
