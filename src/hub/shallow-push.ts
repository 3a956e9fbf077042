/**
 * Pushes from shallow clones. A hosted repository never becomes shallow: a ref that leads to where the client's history
 * ends is refused, unless what comes before is here. The others are taken, without the objects that only those led to.
 */
import { commitIds } from '../git/commit.ts'
import { fairLoop } from '../git/fair-loop.ts'
import { idBytes, type ObjectId, objectIdAt } from '../git/object-id.ts'
import { writePack } from '../git/pack/writer.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefCommand, type RefSnapshot } from '../git/repository.ts'
import { peel } from '../git/walk/commit-graph.ts'
import { selectObjects } from '../git/walk/select-objects.ts'

/**
 * The commits among `shallowIds` whose parents are missing; undefined where `missingIds` has something that is no parent of
 * theirs, so that the push is not only shallow.
 */
export function findCuts(
  objects: ObjectDatabase,
  shallowIds: readonly ObjectId[],
  missingIds: readonly ObjectId[],
): Ordinal[] | undefined {
  const unexplained = new Set<string>(missingIds)
  const cuts = shallowIds.flatMap((id) => {
    const ordinal = locateId(objects, id)
    if (ordinal < 0 || objects.stat(ordinal).type !== 'commit') return []
    const missing = parentIds(objects, ordinal).filter((parentId) => locateId(objects, parentId) < 0)
    for (const parentId of missing) unexplained.delete(parentId)
    return missing.length > 0 ? [ordinal] : []
  })
  return unexplained.size === 0 ? cuts : undefined
}

/**
 * Those of `commands` that lead to one of `cuts`. `wholeIds`: what was here before the push, and is looked at no further.
 * Read commit by commit: a CommitGraph wants to know the parents of all.
 */
export async function findCutOff<Command extends RefCommand>(
  objects: ObjectDatabase,
  commands: readonly Command[],
  { cuts, wholeIds }: { cuts: readonly Ordinal[]; wholeIds: ReadonlySet<ObjectId> },
): Promise<Command[]> {
  const isCut = new Set(cuts)
  const cutOff: Command[] = []
  for (const command of commands) {
    const tips = commitOf(objects, command.newId)
    if (await leadsToCut(objects, tips, { isCut, wholeIds })) cutOff.push(command)
  }
  return cutOff
}

async function leadsToCut(
  objects: ObjectDatabase,
  tips: readonly Ordinal[],
  { isCut, wholeIds }: { isCut: ReadonlySet<Ordinal>; wholeIds: ReadonlySet<ObjectId> },
): Promise<boolean> {
  const seen = new Set(tips)
  const pause = fairLoop()
  // A set hands out what is added to it on the way.
  for (const commit of seen) {
    if (isCut.has(commit)) return true
    if (wholeIds.has(objects.idOf(commit))) continue
    for (const parentId of parentIds(objects, commit)) seen.add(locateId(objects, parentId))
    if (pause.due()) await pause.now()
  }
  return false
}

/** All ids that are in the repository already, of those that a push refers to or that refs have. */
export function wholeIdsOf({ refs }: RefSnapshot, outsideIds: Buffer): Set<ObjectId> {
  const ids = new Set(refs.map(({ id, peeledId }) => peeledId ?? id))
  for (let at = 0; at < outsideIds.length; at += idBytes) ids.add(objectIdAt(outsideIds, at))
  return ids
}

/** The objects that `commands` need, as a pack of their own. */
export async function packFor(
  objects: ObjectDatabase,
  commands: readonly RefCommand[],
  { refs, signal }: { refs: RefSnapshot; signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const wants = commands.flatMap(({ newId }) => (newId === undefined ? [] : [locateId(objects, newId)]))
  const { ordinals } = await selectObjects(objects, { wants, haves: commitsOf(objects, refs), signal })
  return writePack(objects, ordinals, { ofsDelta: true, signal })
}

function commitsOf(objects: ObjectDatabase, { refs }: RefSnapshot): Ordinal[] {
  return [...new Set(refs.ids().flatMap((id) => commitOf(objects, id)))]
}

function commitOf(objects: ObjectDatabase, id: ObjectId | undefined): Ordinal[] {
  const ordinal = id === undefined ? -1 : locateId(objects, id)
  // A ref may have moved since the packs were opened: what it names now is not in them.
  if (ordinal < 0) return []
  const target = peel(objects, ordinal)
  return objects.stat(target).type === 'commit' ? [target] : []
}

function parentIds(objects: ObjectDatabase, commit: Ordinal): ObjectId[] {
  const ids = commitIds(objects.read(commit).data)
  return Array.from({ length: ids.length / idBytes - 1 }, (_, parent) => objectIdAt(ids, (parent + 1) * idBytes))
}
