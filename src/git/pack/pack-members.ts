/** Which objects of some packs a rewritten pack is to hold. */
import { fairLoop } from '../fair-loop.ts'
import { idBytes } from '../object-id.ts'
import type { Ordinal } from '../repository.ts'
import { CommitGraph } from '../walk/commit-graph.ts'
import { leadToAll } from '../walk/leads-to.ts'
import { markedOrdinals } from '../walk/marked-ordinals.ts'
import { selectObjects } from '../walk/select-objects.ts'
import type { PackSet } from './pack-set.ts'

/** A pack that leads to nothing outside, by its number in the set, and the ids of the objects that lead to all of it. */
export interface ClosedGround {
  number: number
  rootIds: Uint8Array
}

/** The objects that `tips` lead to, ascending. Walked from the first of `grounds` of which the tips lead to all. */
export async function selectClosure(
  objects: PackSet,
  tips: readonly Ordinal[],
  grounds: readonly ClosedGround[],
): Promise<Uint32Array> {
  const graph = new CommitGraph(objects)
  for (const { number, rootIds } of grounds) {
    const roots = Array.from({ length: rootIds.length / idBytes }, (_, at) => objects.locate(rootIds, at * idBytes))
    if (!(await leadToAll(graph, tips, roots))) continue
    const selected = new Uint8Array(objects.ordinalCount)
    await markPack(objects, number, selected)
    const wants = tips.filter((tip) => selected[tip] === 0)
    const { ordinals } = await selectObjects(objects, { wants, haves: roots, graph })
    for (const ordinal of ordinals) selected[ordinal] = 1
    return markedOrdinals(selected)
  }
  return (await selectObjects(objects, { wants: tips, haves: [], graph })).ordinals
}

/**
 * The objects of the packs of these numbers, ascending, without those of `except`. A copy of an object that lies in
 * another pack as well, by which it is known, stands for it where that pack is chosen too.
 */
export async function selectMembers(
  objects: PackSet,
  numbers: readonly number[],
  except: Uint32Array = new Uint32Array(0),
): Promise<Uint32Array> {
  const selected = new Uint8Array(objects.ordinalCount)
  const pause = fairLoop()
  let first = 0
  const chosen = new Set(numbers)
  for (const [number, { index }] of objects.packs.entries()) {
    const count = chosen.has(number) ? index.objectCount : 0
    for (let position = 0; position < count; position++) {
      if (objects.locate(index.ids, position * idBytes) === first + position) selected[first + position] = 1
      if (pause.due()) await pause.now()
    }
    first += index.objectCount
  }
  for (const ordinal of except) selected[ordinal] = 0
  return markedOrdinals(selected)
}

/** Marks every object of the pack, by whichever copy it is known. */
async function markPack(objects: PackSet, number: number, selected: Uint8Array): Promise<void> {
  const { ids, objectCount } = objects.packs[number].index
  const pause = fairLoop()
  for (let position = 0; position < objectCount; position++) {
    selected[objects.locate(ids, position * idBytes)] = 1
    if (pause.due()) await pause.now()
  }
}
