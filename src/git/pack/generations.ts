/**
 * Corrected commit dates, as in git's commit-graph: a commit's own date, or one second more than the greatest among its
 * parents'. No ancestor's is as great, whatever clocks say, so that walks in their order meet children before parents
 * and know when to stop.
 */
import type { SideCarTables } from './side-car.ts'

// Above it a date is taken for a lie: sums of seconds stay exact, and later commits comparable.
const dateMaxSeconds = 2 ** 40
const commitCode = 1
const typeMask = 7
const pending = -1

type CommitTables = Pick<SideCarTables, 'commitDates' | 'parentStarts' | 'parents'>

/**
 * By row of the commit tables; 0 where some ancestor's is not known. `outsideGeneration` is asked for the commit with that
 * number among the outside ids.
 */
export function computeGenerations(
  { commitDates, parentStarts, parents }: CommitTables,
  { types }: Pick<SideCarTables, 'types'>,
  outsideGeneration: (number: number) => number,
): Float64Array<ArrayBuffer> {
  const rows = rowsByPosition(types)
  const generations = new Float64Array(commitDates.length).fill(pending)
  const outside = new Map<number, number>()
  const ofOutside = (number: number) => {
    const generation = outside.get(number) ?? outsideGeneration(number)
    outside.set(number, generation)
    return generation
  }
  const stack: number[] = []
  for (let start = 0; start < generations.length; start++) {
    stack.push(start)
    while (stack.length > 0) {
      const row = stack[stack.length - 1]
      const depth = stack.length
      let greatest = 0
      let isKnown = true
      for (let at = parentStarts[row]; generations[row] === pending && at < parentStarts[row + 1]; at++) {
        const parent = parents[at]
        const generation = parent < types.length ? generations[rows[parent]] : ofOutside(parent - types.length)
        if (generation === pending) stack.push(rows[parent])
        else if (generation === 0) isKnown = false
        else greatest = Math.max(greatest, generation)
      }
      if (stack.length > depth) continue
      stack.pop()
      if (generations[row] === pending)
        generations[row] = isKnown ? Math.max(dateOf(commitDates[row]), greatest + 1) : 0
    }
  }
  return generations
}

function dateOf(seconds: number): number {
  return seconds <= dateMaxSeconds ? seconds : 0
}

function rowsByPosition(types: Uint8Array): Uint32Array {
  const rows = new Uint32Array(types.length)
  let row = 0
  for (let position = 0; position < types.length; position++) {
    if ((types[position] & typeMask) === commitCode) rows[position] = row++
  }
  return rows
}
