/**
 * Which commits of a pack surely descend from which, told in no time: by a walk from children to parents that takes each
 * commit once, first parents first. All that is met between entering a commit and leaving it are ancestors of it. For a
 * commit on the main line of a history that is all of them; for others it may be few, so that a no says nothing.
 */
import type { SideCarTables } from './side-car.ts'

const unseen = 0xffffffff

export class Descent {
  /** By commit row: when it was entered, and when it was left. */
  readonly #entered: Uint32Array
  readonly #left: Uint32Array

  /** `rowOf` tells the row of a commit by its position in the pack. */
  constructor(tables: SideCarTables, rowOf: (position: number) => number) {
    const commitCount = tables.commitTrees.length
    this.#entered = new Uint32Array(commitCount).fill(unseen)
    this.#left = new Uint32Array(commitCount)
    const parentRows = new Int32Array(tables.parents.length)
    const isParent = new Uint8Array(commitCount)
    for (let at = 0; at < parentRows.length; at++) {
      const parent = tables.parents[at]
      parentRows[at] = parent < tables.types.length ? rowOf(parent) : -1
      if (parentRows[at] >= 0) isParent[parentRows[at]] = 1
    }
    const tips: number[] = []
    for (let row = 0; row < commitCount; row++) if (isParent[row] === 0) tips.push(row)
    tips.sort((a, b) => tables.generations[b] - tables.generations[a])
    this.#walk(tips, tables.parentStarts, parentRows)
  }

  /** True where the one commit is surely an ancestor of the other, or the same. */
  leadsTo(row: number, ancestorRow: number): boolean {
    return this.#entered[ancestorRow] >= this.#entered[row] && this.#entered[ancestorRow] < this.#left[row]
  }

  #walk(tips: readonly number[], parentStarts: Uint32Array, parentRows: Int32Array): void {
    const next = parentStarts.slice()
    let met = 0
    const stack: number[] = []
    for (const tip of tips) {
      stack.push(tip)
      this.#entered[tip] = met++
      while (stack.length > 0) {
        const row = stack[stack.length - 1]
        if (next[row] === parentStarts[row + 1]) {
          this.#left[row] = met
          stack.pop()
          continue
        }
        const parent = parentRows[next[row]++]
        if (parent < 0 || this.#entered[parent] !== unseen) continue
        this.#entered[parent] = met++
        stack.push(parent)
      }
    }
  }
}
