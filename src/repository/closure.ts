/** What a repository's tips lead to, walked from where a pack is known to hold all that its own tips lead to. */
import type { ClosedPack } from '../database/packs.ts'
import { idBytes } from '../git/object-id.ts'
import type { PackSet } from '../git/pack/pack-set.ts'
import type { Ordinal } from '../git/repository.ts'
import { CommitGraph } from '../git/walk/commit-graph.ts'
import { leadToAll } from '../git/walk/leads-to.ts'
import { selectObjects } from '../git/walk/select-objects.ts'
import type { PinnedPacks } from './pack-catalog.ts'

/** A closed pack, by its number in the set, and the objects that lead to all of it. */
interface Ground {
  number: number
  roots: readonly Ordinal[]
}

/** The objects that `tips` lead to, ascending. `closed` are packs that lead to nothing outside, the largest first. */
export async function closureOf(
  packs: Pick<PinnedPacks, 'rows' | 'objects'>,
  tips: readonly Ordinal[],
  closed: readonly ClosedPack[],
): Promise<Uint32Array> {
  const { objects } = packs
  const graph = new CommitGraph(objects)
  const ground = await findGround(packs, tips, { graph, closed })
  if (ground === undefined) return (await selectObjects(objects, { wants: tips, haves: [], graph })).ordinals
  const selected = new Uint8Array(objects.ordinalCount)
  for (const ordinal of ordinalsOfPack(objects, ground.number)) selected[ordinal] = 1
  const wants = tips.filter((tip) => selected[tip] === 0)
  const { ordinals } = await selectObjects(objects, { wants, haves: ground.roots, graph })
  for (const ordinal of ordinals) selected[ordinal] = 1
  return markedOrdinals(selected)
}

/** The first pack, the clone pack before others, of which the tips lead to every root, and so to all of it. */
async function findGround(
  { rows, objects }: Pick<PinnedPacks, 'rows' | 'objects'>,
  tips: readonly Ordinal[],
  { graph, closed }: { graph: CommitGraph; closed: readonly ClosedPack[] },
): Promise<Ground | undefined> {
  const cloneRoots = rows.flatMap(({ id, tipIds }) => (tipIds === null ? [] : [{ id, rootIds: tipIds }]))
  for (const { id, rootIds } of [...cloneRoots, ...closed]) {
    const number = rows.findIndex((row) => row.id === id)
    if (number < 0) continue
    const roots = Array.from({ length: rootIds.length / idBytes }, (_, at) => objects.locate(rootIds, at * idBytes))
    if (await leadToAll(graph, tips, roots)) return { number, roots }
  }
  return undefined
}

function* ordinalsOfPack(objects: PackSet, number: number): Generator<Ordinal> {
  const { index } = objects.packs[number]
  for (let position = 0; position < index.objectCount; position++) yield objects.locate(index.ids, position * idBytes)
}

function markedOrdinals(marks: Uint8Array): Uint32Array {
  const ordinals: number[] = []
  for (let ordinal = 0; ordinal < marks.length; ordinal++) if (marks[ordinal] === 1) ordinals.push(ordinal)
  return Uint32Array.from(ordinals)
}
