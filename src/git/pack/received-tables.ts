/** The side-car's tables of a pack that has just been received: everything was seen while its objects were checked. */
import { idBytes } from '../object-id.ts'
import { emptyCommitRow, type ObjectDatabase, type Ordinal } from '../repository.ts'
import { type EntryTable, noBase } from './entry-table.ts'
import { computeGenerations } from './generations.ts'
import { IdSet } from './id-set.ts'
import type { ReceivedObjects } from './received-objects.ts'
import { largeSizeBit, noReference, refDeltaBit, type SideCarTables } from './side-car.ts'

export interface ReceivedTablesOptions {
  entries: EntryTable
  objects: ReceivedObjects
  /** Entries in the order of their ids. */
  order: Uint32Array
  /** The bases outside the pack, as `resolveDeltas` numbered them. */
  outsideBases: readonly Ordinal[]
  existing: ObjectDatabase
}

/** The tables, without what the commits changed. */
export function tabulateReceived(options: ReceivedTablesOptions): SideCarTables {
  const positions = new Uint32Array(options.order.length)
  for (let position = 0; position < positions.length; position++) positions[options.order[position]] = position
  const outside = new IdSet()
  const objectTables = tabulateObjects(options, positions, outside)
  const commitTables = tabulateCommits(options, positions, outside)
  const { existing } = options
  const row = emptyCommitRow()
  const generations = computeGenerations(commitTables, objectTables, (number) => {
    const ordinal = existing.locate(outside.ids, number * idBytes)
    return ordinal >= 0 && existing.readCommitRow(ordinal, row) ? row.generation : 0
  })
  return {
    ...objectTables,
    ...commitTables,
    generations,
    introducedStarts: new Uint32Array(),
    introduced: new Uint32Array(),
    replacedStarts: new Uint32Array(),
    replaced: new Uint32Array(),
    outsideIds: outside.ids.subarray(0, outside.size * idBytes),
  }
}

function tabulateObjects(options: ReceivedTablesOptions, positions: Uint32Array, outside: IdSet) {
  const { entries, outsideBases, existing } = options
  const { count } = entries
  const types = new Uint8Array(count)
  const sizes = new Uint32Array(count)
  const bases = new Uint32Array(count).fill(noReference)
  const largeSizes: number[] = []
  const id = Buffer.alloc(idBytes)
  for (let entry = 0; entry < count; entry++) {
    const position = positions[entry]
    types[position] = entries.types[entry] | (entries.refDeltas[entry] === 1 ? refDeltaBit : 0)
    const size = entries.sizes[entry]
    sizes[position] = size < largeSizeBit ? size : largeSizeBit + largeSizes.push(size) - 1
    const base = entries.bases[entry]
    if (base === noBase) continue
    if (base < count) {
      bases[position] = positions[base]
    } else {
      existing.copyId(outsideBases[base - count], id, 0)
      bases[position] = count + outside.add(id, 0)
    }
  }
  // Entries are numbered as they lie.
  return { types, sizes, bases, largeSizes: Float64Array.from(largeSizes), offsetOrder: positions }
}

function tabulateCommits({ entries, objects }: ReceivedTablesOptions, positions: Uint32Array, outside: IdSet) {
  const { commits, known } = objects
  const positionOfMember = new Int32Array(known.size).fill(-1)
  for (let entry = 0; entry < entries.count; entry++) positionOfMember[entries.members[entry]] = positions[entry]
  const referenceTo = (member: number) => {
    const position = positionOfMember[member]
    return position >= 0 ? position : entries.count + outside.add(known.ids, member * idBytes)
  }
  const byPosition = Array.from(commits.entries.keys())
  byPosition.sort((a, b) => positions[commits.entries[a]] - positions[commits.entries[b]])
  const commitTrees = new Uint32Array(commits.count)
  const commitDates = new Float64Array(commits.count)
  const parentStarts = new Uint32Array(commits.count + 1)
  const parents = new Uint32Array(commits.parents.length)
  let parentCount = 0
  for (const [row, commit] of byPosition.entries()) {
    commitTrees[row] = referenceTo(commits.trees[commit])
    commitDates[row] = commits.dates[commit]
    const end = commits.parentStarts[commit + 1] ?? commits.parents.length
    for (let at = commits.parentStarts[commit]; at < end; at++)
      parents[parentCount++] = referenceTo(commits.parents[at])
    parentStarts[row + 1] = parentCount
  }
  return { commitTrees, commitDates, parentStarts, parents }
}
