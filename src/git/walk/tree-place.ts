/** Where a tree stands in the tree of a commit, for filters that decide by depth or path. */
import { HoldfastError } from '../../errors.ts'
import type { Ordinal } from '../repository.ts'
import type { ObjectFilter } from './object-filter.ts'

export interface TreePlace {
  /** Of what the tree lists. */
  childDepth: number
  /** With a slash at its end; empty for a root. In latin1. */
  prefix: string
  /** What each of the filter's sparse patterns says of the tree itself. */
  isWanted: readonly boolean[]
}

// A tree that lists itself-like trees under many names has exponentially many paths; honest histories stay far below.
const visitsMax = 5_000_000

/** The decisions of a filter that depend on the place. */
export class PlacedFilter {
  readonly #filter: ObjectFilter
  /** One more than the least depth of what a tree lists, over the places at which it was opened; 0 if it was not. */
  readonly #leastDepths: Uint16Array
  #visits = 0

  constructor(filter: ObjectFilter, ordinalCount: number) {
    this.#filter = filter
    this.#leastDepths = new Uint16Array(ordinalCount)
  }

  /** The place of a commit's tree. */
  get root(): TreePlace {
    const isWanted = this.#filter.sparse.map((patterns) => patterns.decide('', true) ?? false)
    return { childDepth: 1, prefix: '', isWanted }
  }

  /** The place of a tree that the client names itself: it does not count as a level. */
  get given(): TreePlace {
    return { childDepth: 0, prefix: '', isWanted: this.#filter.sparse.map(() => false) }
  }

  hasTree(place: TreePlace): boolean {
    return place.childDepth < this.#filter.treeDepth
  }

  hasBlob(place: TreePlace, name: string): boolean {
    if (!this.hasTree(place)) return false
    return this.#filter.sparse.every((patterns, index) => {
      return patterns.decide(place.prefix + name, false) ?? place.isWanted[index]
    })
  }

  below(place: TreePlace, name: string): TreePlace {
    const path = place.prefix + name
    const { sparse } = this.#filter
    return {
      childDepth: place.childDepth + 1,
      prefix: sparse.length === 0 ? '' : `${path}/`,
      isWanted: sparse.map((patterns, index) => patterns.decide(path, true) ?? place.isWanted[index]),
    }
  }

  /** True where a tree has to be opened at this place, though it may have been at others. Throws InputTooLarge. */
  mustOpen(tree: Ordinal, { childDepth }: TreePlace): boolean {
    const depth = Math.min(childDepth + 1, 0xffff)
    const least = this.#leastDepths[tree]
    if (this.#filter.sparse.length === 0 && least > 0 && least <= depth) return false
    if (least === 0 || depth < least) this.#leastDepths[tree] = depth
    else if (++this.#visits > visitsMax) {
      throw new HoldfastError('InputTooLarge', { message: 'The filter would have to look at too many paths.' })
    }
    return true
  }
}
