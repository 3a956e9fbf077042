/**
 * The haves of a negotiation: which of them exist here, and when enough are known that the client may stop sending
 * (git's `ok_to_give_up`: every wanted commit leads to something the client has).
 */
import { fairLoop } from '../fair-loop.ts'
import type { Ordinal } from '../repository.ts'
import { type CommitGraph, peel } from './commit-graph.ts'

const held = 1
const barren = 2
const fruitful = 4

export class ClientHaves {
  /** The haves that exist here, without those that another have leads to directly. */
  readonly ordinals: Ordinal[] = []
  readonly #graph: CommitGraph
  readonly #wants: readonly Ordinal[]
  readonly #flags: Uint8Array
  #leastRank = Number.POSITIVE_INFINITY
  #isEnough = false
  #isFresh = false

  constructor(graph: CommitGraph, wants: readonly Ordinal[]) {
    this.#graph = graph
    this.#wants = wants
    this.#flags = new Uint8Array(graph.objects.ordinalCount)
  }

  /** Takes note that the client has this object. */
  add(ordinal: Ordinal): void {
    const isNew = (this.#flags[ordinal] & held) === 0
    this.#flags[ordinal] |= held
    if (isNew) this.ordinals.push(ordinal)
    this.#isFresh = true
    const commit = peel(this.#graph.objects, ordinal)
    if (this.#graph.objects.stat(commit).type !== 'commit') return
    this.#flags[commit] |= held
    this.#leastRank = Math.min(this.#leastRank, this.#graph.rankOf(commit))
    for (const parent of this.#graph.parentsOf(commit)) {
      this.#flags[parent] |= held
      this.#leastRank = Math.min(this.#leastRank, this.#graph.rankOf(parent))
    }
  }

  /** True once every want leads to a have. */
  async isEnough(signal?: AbortSignal): Promise<boolean> {
    if (this.#isEnough || !this.#isFresh) return this.#isEnough
    this.#isFresh = false
    for (let i = 0; i < this.#flags.length; i++) this.#flags[i] &= held
    const { objects } = this.#graph
    for (const want of this.#wants) {
      const commit = peel(objects, want)
      // Ancestry says nothing about trees and blobs: they do not hold the client up.
      if (objects.stat(commit).type !== 'commit') continue
      if (!(await this.#leadsToHave(commit, signal))) return false
    }
    this.#isEnough = true
    return true
  }

  /** Depth first, below the oldest have only from the want itself; what was searched in vain is not searched again. */
  async #leadsToHave(want: Ordinal, signal: AbortSignal | undefined): Promise<boolean> {
    const flags = this.#flags
    const pause = fairLoop(signal)
    const path = [want]
    while (path.length > 0) {
      const commit = path[path.length - 1]
      if (flags[commit] & (held | fruitful)) {
        for (const descendant of path) flags[descendant] |= fruitful
        return true
      }
      const isRecent = commit === want || this.#graph.rankOf(commit) >= this.#leastRank
      const parents = isRecent ? this.#graph.parentsOf(commit) : []
      const open = parents.find((parent) => (flags[parent] & barren) === 0)
      if (open !== undefined) {
        path.push(open)
      } else {
        flags[commit] |= barren
        path.pop()
      }
      if (pause.due()) await pause.now()
    }
    return false
  }
}
